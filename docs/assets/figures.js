// Draws each figure of a page when it comes near the screen.
(() => {
  async function draw(box) {
    const { data, layout } = JSON.parse(box.querySelector("script").textContent);
    await Plotly.newPlot(box, data, { ...layout, width: undefined, autosize: true }, { responsive: true, displayModeBar: false });
    box.classList.add("drawn");
  }

  const near = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        near.unobserve(target);
        draw(target);
      }
    },
    { rootMargin: "800px" },
  );
  document.querySelectorAll(".plotly-figure").forEach((box) => near.observe(box));
})();
