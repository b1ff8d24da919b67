"use strict";

// frame-ancestors lets only the page of the demo frame this document, so `parent` is that page.
addEventListener("message", async ({ source, data, ports }) => {
  if (source === parent) ports[0].postMessage(await runTask(data));
});
