// Starts the page, and connects events to what they do.

import { describeModel, useToken } from "./api.js";
import { camera } from "./camera.js";
import { drawClasses, toggleLabel } from "./classes.js";
import { setUpSliders } from "./controls.js";
import { detectWaiting } from "./detection.js";
import { download } from "./download.js";
import { byId } from "./elements.js";
import { add, choose, chooseNeighbor, remove } from "./images.js";
import { toggleCamera } from "./live.js";
import { askToken, showError } from "./notices.js";
import { applyFilters } from "./screen.js";
import { detectionAt, highlight, resize } from "./stage.js";
import { state } from "./state.js";

async function start() {
  try {
    state.model = await describeModel();
  } catch (error) {
    byId("model").textContent = "";
    if (error.status !== 401) showError(error);
    else askToken();
    return error;
  }
  byId("token-form").hidden = true;
  describe(state.model);
  for (const one of state.model.classes) state.colors.set(one.name, { color: one.color, textColor: one.text_color });
  setUpSliders(state.model);
  drawClasses();
  detectWaiting();
  return null;
}

function describe({ model, classes, metric }) {
  const count = `${classes.length} ${classes.length === 1 ? "class" : "classes"}`;
  const value = metric?.value == null ? null : `mAP ${metric.value.toFixed(3)} (${metric.name})`;
  byId("model").textContent = [model, count, value].filter(Boolean).join(" · ");
  byId("model").title = classes.map((one) => one.name).join(", ");
}

byId("token-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  useToken(byId("token").value);
  showError(null);
  const error = await start();
  if (error?.status === 401) showError(new Error("The server does not accept this token."));
});

byId("files").addEventListener("change", (event) => {
  add(event.target.files);
  event.target.value = "";
});
document.addEventListener("paste", (event) => {
  add([...event.clipboardData.files].filter((file) => file.type.startsWith("image/")));
});
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  byId("stage").classList.add("drag-over");
});
document.addEventListener("dragleave", (event) => event.relatedTarget ?? byId("stage").classList.remove("drag-over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  byId("stage").classList.remove("drag-over");
  add(event.dataTransfer.files);
});

byId("strip").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) (button.className === "remove" ? remove : choose)(button.entry);
});
document.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (step && !event.target.matches("input") && !camera.running) chooseNeighbor(step);
});

byId("canvas").addEventListener("mousemove", (event) => highlight(detectionAt(event.clientX, event.clientY)));
byId("canvas").addEventListener("mouseleave", () => highlight(null));
for (const type of ["mouseover", "focusin"]) {
  byId("found").addEventListener(type, (event) => highlight(event.target.closest("button")?.detection ?? null));
}
for (const type of ["mouseleave", "focusout"]) byId("found").addEventListener(type, () => highlight(null));
byId("classes").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  toggleLabel(button.label);
  applyFilters();
});

byId("camera").addEventListener("click", toggleCamera);
byId("capture").addEventListener("click", async () => add([(await camera.frame()).file]));
for (const button of document.querySelectorAll("[data-download]")) {
  button.addEventListener("click", () => download(button.dataset.download));
}
new ResizeObserver(() => state.shown && resize()).observe(byId("stage"));
start();
