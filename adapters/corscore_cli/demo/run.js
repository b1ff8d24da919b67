"use strict";

// The fetches of one row, and what the script gets: for the page, and for frames of other origins.

const MILLISECONDS_TO_WAIT = 15000;
const CHARACTERS_TO_KEEP = 300;

async function runOnce({ url, method, headers, credentials, body, reads }) {
  const signal = AbortSignal.timeout(MILLISECONDS_TO_WAIT);
  try {
    const response = await fetch(url, { method, headers, credentials, body, signal });
    const text = await response.text();
    return {
      status: response.status,
      header: reads === null ? null : response.headers.get(reads),
      text: text.slice(0, CHARACTERS_TO_KEEP),
    };
  } catch (error) {
    return { status: null, header: null, text: `${error.name}: ${error.message}` };
  }
}

async function runTask(task) {
  let result = await runOnce(task);
  for (let turn = 1; turn < task.repeats && result.status !== null; turn += 1) {
    result = await runOnce(task);
  }
  return result;
}
