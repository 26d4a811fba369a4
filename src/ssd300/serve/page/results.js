// What belongs to a result: the downloads' buttons, and where the time went.

import { byId, element } from "./elements.js";
import { isAllHidden } from "./found.js";
import { isStale, state } from "./state.js";

const STEPS = {
  receive: "Receive", decode: "Decode", wait: "Wait", resize: "Resize", network: "Network", select: "Select (NMS)",
};

export function drawResults() {
  const result = state.shown?.result;
  byId("results").hidden = !result || state.shown.isLive;
  for (const button of document.querySelectorAll("[data-download]")) {
    button.disabled = isAllHidden() || isStale(state.shown);
  }
  if (result) byId("timing").replaceChildren(bar(result.timing_ms), table(result.timing_ms, state.shown));
}

function bar(timesMs) {
  const parts = stepsOf(timesMs).map(([step]) => {
    const part = element("span", { className: `step-${step}` });
    part.style.flexGrow = String(Math.max(timesMs[step], 0));
    return part;
  });
  const made = element("div", { className: "bar" }, parts);
  made.setAttribute("aria-hidden", "true");
  return made;
}

function table(timesMs, { totalMs, device }) {
  const rows = stepsOf(timesMs).flatMap(([step, name]) => [
    element("span", { className: `dot step-${step}` }),
    element("dt", {}, [step === "network" && device === "webgpu" ? `${name} (WebGPU)` : name]),
    element("dd", {}, [inMs(timesMs[step])]),
  ]);
  const total = [
    element("span", {}),
    element("dt", { className: "total" }, ["Total"]),
    element("dd", { className: "total" }, [inMs(totalMs)]),
  ];
  return element("dl", { className: "steps" }, [...rows, ...total]);
}

// Those that there were: a server receives and lets wait, a page without one resizes itself.
function stepsOf(timesMs) {
  return Object.entries(STEPS).filter(([step]) => step in timesMs);
}

function inMs(ms) {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
