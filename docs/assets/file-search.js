// Browsers start no Worker from a file, so search needs a server. Opened from a folder, the same script runs in a hidden frame instead.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.frame = document.body.appendChild(Object.assign(document.createElement("iframe"), { hidden: true }));
      const inner = this.frame.contentWindow;
      this.ready = new Promise((done) => (inner.started = done));
      inner.document.write(
        `<script>var postMessage = (data) => parent.postMessage(data, "*")</script>` +
          `<script src="${url}" onload="started()"></script>`,
      );
      inner.document.close();
      window.addEventListener("message", (event) => {
        if (event.source === inner) this.dispatchEvent(new MessageEvent("message", { data: event.data }));
      });
    }
    postMessage(data) {
      this.ready.then(() => this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data })));
    }
  };
}
