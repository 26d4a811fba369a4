// Training on what is labeled so far: how far it is, and what it has reached.

import { request } from "./api.js";
import { byId } from "./elements.js";
import { showError } from "./notices.js";
import { state } from "./state.js";

const EVERY_MS = 2000;
const WORDS = {
  none: "", starting: "Starting: reading the images, measuring a step …", running: "Training", stopping: "Stopping after this step …",
  stopped: "Stopped.", done: "Done.", failed: "It ended with an error:",
};
let whenProposing = () => {};
let timer = 0;

export function setUpTraining(proposing) {
  whenProposing = proposing;
  byId("train-start").addEventListener("click", () => post("start", { holdout: Number(byId("train-holdout").value) / 100 }));
  byId("train-stop").addEventListener("click", () => post("stop"));
  byId("train-resume").addEventListener("click", () => post("resume"));
  byId("train-propose").addEventListener("click", async () => {
    if (await post("propose")) whenProposing();
  });
}

// Asks how far the training is, as long as its panel is shown.
export async function followTraining() {
  clearTimeout(timer);
  if (byId("panel-train").hidden) return;
  try {
    draw(await (await request("v1/label/training")).json());
  } catch (error) {
    if (error.status) showError(error);
  }
  timer = setTimeout(followTraining, EVERY_MS);
}

async function post(what, body = {}) {
  try {
    showError(null);
    draw(await (await request(`v1/label/training/${what}`, {
      method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" },
    })).json());
    return true;
  } catch (error) {
    showError(error);
    return false;
  }
}

function draw(run) {
  const isOn = ["starting", "running", "stopping"].includes(run.state);
  const labeled = state.lines.filter((line) => line.state === "done" && !line.fault);
  byId("train-data").textContent = `${labeled.length.toLocaleString("en")} labeled ${labeled.length === 1 ? "image" : "images"} so far.`;
  byId("train-start").hidden = isOn;
  byId("train-start").disabled = labeled.length < 2;
  byId("train-start").textContent = run.state === "none" ? "Train" : "Train anew";
  byId("train-stop").hidden = !isOn;
  byId("train-stop").disabled = run.state === "stopping";
  byId("train-resume").hidden = !(run.state === "stopped" && run.can_resume);
  byId("train-propose").hidden = !run.has_weights;
  byId("train-propose").disabled = run.proposes;
  byId("train-propose").textContent = run.proposes ? "Its weights propose boxes" : "Propose boxes with its weights";
  byId("train-run").hidden = run.state === "none";
  byId("train-state").textContent = WORDS[run.state];
  byId("train-bar").max = Math.max(run.steps, 1);
  byId("train-bar").value = run.step;
  byId("train-step").textContent = run.steps ? `step ${run.step.toLocaleString("en")} of ${run.steps.toLocaleString("en")}${left(run)}` : "";
  byId("train-map").textContent = run.best === null ? "" : `mAP ${run.best.toFixed(3)} on the held-out images`;
  byId("train-folder").textContent = `${run.images} images, ${run.folder}`;
  byId("train-words").hidden = run.state !== "failed";
  byId("train-words").textContent = run.words.join("\n");
  drawCurve(run.losses);
}

function left({ state: now, step, steps, seconds }) {
  if (now !== "running" || step === 0) return "";
  const minutes = Math.ceil(((seconds / step) * (steps - step)) / 60);
  return `, about ${minutes} min left`;
}

function drawCurve(losses) {
  byId("train-curve").toggleAttribute("hidden", losses.length < 2);
  if (losses.length < 2) return;
  const [last] = losses.at(-1);
  const highest = Math.max(...losses.map(([, loss]) => loss));
  const points = losses.map(([step, loss]) => `${((step / last) * 200).toFixed(1)},${(58 - (loss / highest) * 54).toFixed(1)}`);
  byId("train-line").setAttribute("points", points.join(" "));
  byId("train-curve").setAttribute("aria-label", `Loss, now ${losses.at(-1)[1].toFixed(2)}`);
  byId("train-loss").textContent = `loss ${losses.at(-1)[1].toFixed(2)}`;
}
