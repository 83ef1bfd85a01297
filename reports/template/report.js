// Draws every figure of the page from the JSON beside it, in the colours of the reader's scheme; fits them to paper before printing.
(() => {
  "use strict";
  const PAPER_WIDTH = 688; // CSS pixels of A4 less its margins
  const DARK = {
    "#1F2933": "#E6EAEE", "#5B6770": "#A7B1BA", "#E3E8ED": "#2A323A", "#FFFFFF": "#14191E", "#B6C0C9": "#46515B",
    "#0072B2": "#4AA3DF", "#A50F15": "#F2777A", "#8A94A0": "#6C7782", "#98A3AE": "#7D8893", "#7B98B0": "#7FA3C4",
    "#DCE9F5": "#2B4257", "#7FB0D6": "#4F86B3", "#F7F7F7": "#1D242B", "#E3EFF8": "#17324A", "#FBE3B5": "#5A4410", "#F2C9C9": "#5C1F22", "#F1F3F5": "#262C33"
  };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const touch = matchMedia("(pointer: coarse)").matches;
  const config = { responsive: true, displaylogo: false, displayModeBar: touch ? false : "hover", modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };
  const plots = [...document.querySelectorAll(".plot")];

  const figure = (plot, inDark) => {
    const text = plot.nextElementSibling.textContent;
    return JSON.parse(inDark ? text.replace(/#[0-9A-F]{6}/g, c => DARK[c] || c) : text);
  };
  const draw = inDark => plots.forEach(plot => {
    const { data, layout } = figure(plot, inDark);
    Plotly.react(plot, data, layout, config);
  });
  const fit = width => plots.forEach(plot => Plotly.relayout(plot, width ? { width, autosize: false } : { width: null, autosize: true }));

  draw(dark.matches);
  dark.addEventListener("change", () => draw(dark.matches));
  addEventListener("beforeprint", () => { draw(false); fit(PAPER_WIDTH); });
  addEventListener("afterprint", () => { draw(dark.matches); fit(null); });
  document.documentElement.dataset.drawn = document.querySelectorAll(".plot svg.main-svg").length;
})();
