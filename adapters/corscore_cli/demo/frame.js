"use strict";

// Only the page of the demo can frame this document (frame-ancestors), so only it can ask.
addEventListener("message", async ({ source, data, ports }) => {
  if (source === parent) ports[0].postMessage(await runTask(data));
});
