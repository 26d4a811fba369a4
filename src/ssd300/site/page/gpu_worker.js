// The network on the GPU, in a worker of its own: it can be ended if it never answers.

import { start } from "./session.js";

let run = null;

self.onmessage = async ({ data }) => {
  try {
    if (data.script) {
      run = await start({ ...data, runtime: await import(new URL(data.script, import.meta.url)), provider: "webgpu" });
      self.postMessage({});
    } else {
      self.postMessage(await run(data.pixels));
    }
  } catch (error) {
    self.postMessage({ error: error.message });
  }
};
