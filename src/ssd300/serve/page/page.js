// The page: pictures in a strip, one of them shown with its boxes. All that is found above FLOOR is asked for at once, so
// that the score and the classes filter without another request; another overlap asks again.

import { describeModel, detect, useToken } from "./api.js";
import { Camera } from "./camera.js";
import { chip, countsOf, decoded, element, inWords, replaceKeepingFocus, row, thumb, timing } from "./parts.js";
import { View } from "./view.js";

const FLOOR = 0.05; // the lowest score of the slider
const AGAIN_AFTER_MS = 250; // the overlap's slider has come to rest
const MOST_ROWS = 200;
const MOST_CHIPS = 12; // as many classes stand there always; of more, those that were found

const at = (id) => document.getElementById(id);
const view = new View(at("canvas"));
const camera = new Camera(at("video"));
const colors = new Map(); // label -> {color, textColor}
const hidden = new Set(); // labels
const pictures = []; // {file, url, image, answer, total, error, overlap}; image is null for a kind the browser does not know
let model = null;
let shown = null; // the one of `pictures`, or the camera's frame
let lit = null;
let minScore = null; // null: what the weights hold for each class
let maxOverlap;

async function begin() {
  try {
    model = await describeModel();
  } catch (error) {
    at("model").textContent = "";
    if (error.status === 401) askToken();
    else complain(error);
    return;
  }
  at("token-form").hidden = true;
  at("score").disabled = at("overlap").disabled = false;
  const count = model.classes.length;
  const metric = model.metric?.value == null ? "" : ` · ${model.metric.name} ${model.metric.value.toFixed(3)}`;
  at("model").textContent = `${model.model} · ${count} ${count === 1 ? "class" : "classes"}${metric}`;
  at("model").title = model.classes.map((one) => one.name).join(", ");
  for (const { name, color, text_color: textColor } of model.classes) colors.set(name, { color, textColor });
  maxOverlap = model.max_overlap;
  at("overlap").value = maxOverlap;
  const lowest = new Set(model.classes.map((one) => one.min_score));
  if (lowest.size === 1) [minScore] = lowest;
  at("score").value = minScore ?? Math.min(...lowest);
  tellSliders();
  drawClasses();
  await lookAtRest();
}

function askToken() {
  at("token-form").hidden = false;
  at("token").value = "";
  at("token").focus();
}

// Pictures in, answers out ---------------------------------------------------------------------------------------------

async function add(files) {
  stopCamera();
  const added = [...files].map((file) => ({ file, url: URL.createObjectURL(file), answer: null, error: null }));
  if (!added.length) return;
  pictures.push(...added);
  choose(added[0]);
}

// The picture's pixels, once; shown when they are there.
function load(picture) {
  picture.loading ??= decoded(picture.url).then((image) => {
    picture.image = image;
    if (picture === shown) show(picture);
    else drawStrip();
  });
  return picture.loading;
}

// The shown one first, then all that wait, or were asked for with another overlap.
async function lookAtRest(signal) {
  while (model && !signal?.aborted) {
    const picture = [shown, ...pictures].find((one) => pictures.includes(one) && one.overlap !== maxOverlap);
    if (!picture) return;
    await Promise.all([load(picture), look(picture, signal)]);
    if ([0, 401].includes(picture.error?.status)) return; // nobody answers: the others wait until one is chosen
  }
}

async function look(picture, signal) {
  picture.overlap = maxOverlap;
  if (picture === shown) at("busy").hidden = false;
  try {
    const floor = Math.min(FLOOR, ...model.classes.map((one) => one.min_score));
    const answer = await (await detect(picture.file, { minScore: floor, maxOverlap, signal })).json();
    [picture.answer] = answer.images;
    picture.answer.timing_ms = { receive: answer.timing_ms.receive, ...picture.answer.timing_ms };
    picture.total = answer.timing_ms.total;
    picture.error = null;
  } catch (error) {
    if (error.name === "AbortError") {
      picture.overlap = undefined; // it was not answered
      return;
    }
    if (error.status === 401) askToken();
    picture.answer = null; // it would be the answer to another question
    picture.error = error;
  }
  if (picture === shown) show(picture);
  else drawStrip();
}

function highEnough(picture) {
  if (!picture?.answer) return [];
  const own = new Map(model.classes.map((one) => [one.name, one.min_score]));
  return picture.answer.detections.filter(({ label, score }) => score > (minScore ?? own.get(label)));
}

function visible(picture) {
  return highEnough(picture).filter(({ label }) => !hidden.has(label));
}

// What is seen ---------------------------------------------------------------------------------------------------------

function show(picture) {
  shown = picture;
  lit = null;
  at("empty").hidden = picture !== null;
  at("canvas").hidden = picture === null || (!picture.image && !picture.answer);
  at("unknown").hidden = !picture?.answer || picture.image !== null;
  at("busy").hidden = picture === null || picture.answer !== null || picture.error !== null || !model;
  complain(picture?.error ?? null, picture?.file.name);
  at("caption").textContent = picture ? caption(picture) : "";
  resize();
  drawStrip();
  drawList();
}

function caption(picture) {
  const size = picture.answer ?? picture.image;
  const place = pictures.length > 1 && `${pictures.indexOf(picture) + 1} of ${pictures.length}`;
  return [picture.file.name, size && `${size.width} × ${size.height}`, place].filter(Boolean).join(" · ");
}

function resize() {
  if (at("canvas").hidden) return;
  const width = shown.answer?.width ?? shown.image.width;
  const height = shown.answer?.height ?? shown.image.height;
  view.show(shown.image, width, height, at("stage").clientWidth);
  view.draw(visible(shown), colors, lit);
}

function light(detection) {
  if (detection === lit) return;
  lit = detection;
  view.draw(visible(shown), colors, lit);
  for (const row of at("found").querySelectorAll("button")) {
    const on = row.detection === lit;
    row.classList.toggle("lit", on);
    if (on && !row.matches(":hover, :focus")) row.scrollIntoView({ block: "nearest" });
  }
}

function drawList() {
  const found = visible(shown);
  at("found").replaceChildren(...found.slice(0, MOST_ROWS).map((one) => row(one, colors, light)));
  const answered = shown?.answer != null;
  const allHidden = found.length === 0 && highEnough(shown).length > 0;
  const more = answered && highEnough(shown).length >= model.top_k ? ", and there may be more" : "";
  at("found-title").textContent = allHidden ? "All hidden" : answered ? `${found.length} found${more}` : shown?.error ? "Not looked at" : shown ? "…" : "Nothing yet";
  at("results").hidden = !answered;
  for (const button of document.querySelectorAll("[data-download]")) button.disabled = allHidden || camera.running || isStale(shown);
  if (!camera.running) at("status").textContent = answered ? `${shown.file.name || "picture"}: ${allHidden ? "all hidden" : inWords(found)}` : "";
  drawClasses();
  if (answered) at("timing").replaceChildren(...timing(shown.answer.timing_ms, shown.total));
}

function drawClasses() {
  const counts = countsOf(highEnough(shown));
  const always = model?.classes.length <= MOST_CHIPS ? model.classes.map((one) => one.name) : hidden;
  for (const label of always) if (!counts.has(label)) counts.set(label, 0);
  const labels = [...counts.keys()].sort((a, b) => a.localeCompare(b));
  replaceKeepingFocus(at("classes"), labels.map((label) => chip(label, counts.get(label), colors, !hidden.has(label), () => {
    if (!hidden.delete(label)) hidden.add(label);
    filter();
  })));
}

function drawStrip() {
  at("strip").hidden = pictures.length === 0;
  replaceKeepingFocus(at("strip"), pictures.map((picture) =>
    thumb(picture, picture.answer && !isStale(picture) ? visible(picture).length : null, picture === shown, () => choose(picture), () => drop(picture))));
}

// Whether what is there answers another question than the slider asks.
function isStale(picture) {
  return picture !== null && picture.overlap !== maxOverlap;
}

function complain(error, name) {
  at("error").hidden = !error;
  const named = name && !error?.message.startsWith(`${name}: `) ? `${name}: ` : "";
  at("error").textContent = error ? named + error.message : "";
}

function tellSliders() {
  at("score-value").textContent = minScore === null ? "by class" : minScore.toFixed(2);
  at("overlap-value").textContent = Number(at("overlap").value).toFixed(2);
}

// What is done ---------------------------------------------------------------------------------------------------------

function choose(picture) {
  stopCamera();
  if (picture.error && picture.error.status !== 415) Object.assign(picture, { error: null, overlap: undefined });
  show(picture);
  load(picture);
  lookAtRest();
}

function drop(picture) {
  const place = pictures.indexOf(picture);
  pictures.splice(place, 1);
  URL.revokeObjectURL(picture.url);
  if (picture === shown) show(pictures[Math.min(place, pictures.length - 1)] ?? null);
  else drawStrip();
  if (!pictures.length) at("files").focus(); // the strip, which had the focus, is gone
}

function filter() {
  tellSliders();
  lit = null;
  if (shown) view.draw(visible(shown), colors, lit);
  drawList();
  drawStrip();
}

let asking = null;
function askAgain() {
  tellSliders();
  maxOverlap = Number(at("overlap").value);
  clearTimeout(asking?.timer);
  asking?.abort.abort();
  drawList();
  drawStrip();
  const abort = new AbortController();
  asking = { abort, timer: setTimeout(() => lookAtRest(abort.signal), AGAIN_AFTER_MS) };
}

// As the server draws and writes it, with what is seen here: of the classes that are seen as many as are seen, as the
// best ones come first. The JSON is cut out of the answer that is here already.
async function download(kind) {
  const name = (shown.file.name || "picture").replace(/\.[^.]*$/, "");
  const found = visible(shown);
  if (kind === "json") {
    const { image, width, height } = shown.answer;
    const text = JSON.stringify({ images: [{ image, width, height, detections: found }] }, null, 2);
    return save(new Blob([text], { type: "application/json" }), `${name}.json`);
  }
  const accept = { png: "image/png", xml: "application/xml" }[kind];
  const classes = [...new Set(found.map((one) => one.label))];
  try {
    const answer = await detect(shown.file, { minScore: minScore ?? undefined, maxOverlap, topK: found.length || 1, classes, accept });
    save(await answer.blob(), `${name}.${kind}`);
  } catch (error) {
    complain(error, shown.file.name);
  }
}

function save(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

async function startCamera() {
  complain(null);
  at("camera").textContent = "Stop camera";
  at("take").hidden = false;
  try {
    await camera.start(async (canvas, file, signal) => {
      const frame = { file, image: canvas, answer: null, error: null, overlap: maxOverlap };
      await look(frame, signal);
      if (signal.aborted) return;
      if (frame.error) throw frame.error;
      shown = frame;
      at("empty").hidden = at("unknown").hidden = true;
      at("canvas").hidden = false;
      at("caption").textContent = caption(frame);
      resize();
      drawList();
    });
  } catch (error) {
    stopCamera();
    show(pictures.at(-1) ?? null);
    complain(error);
  }
}

function stopCamera() {
  if (camera.running) camera.stop();
  at("camera").textContent = "Camera";
  at("take").hidden = true;
}

// Wiring --------------------------------------------------------------------------------------------------------------

at("files").addEventListener("change", (event) => {
  add(event.target.files);
  event.target.value = "";
});
document.addEventListener("paste", (event) => add([...event.clipboardData.files].filter((file) => file.type.startsWith("image/"))));
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  at("stage").classList.add("over");
});
document.addEventListener("dragleave", (event) => event.relatedTarget ?? at("stage").classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  at("stage").classList.remove("over");
  add(event.dataTransfer.files);
});
document.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step || event.target.matches("input") || !pictures.length || camera.running) return;
  const next = pictures[pictures.indexOf(shown) + step];
  if (!next) return;
  const wasInside = at("strip").contains(event.target) || at("found").contains(event.target);
  choose(next);
  const current = at("strip").querySelector("[aria-current=true]");
  current.scrollIntoView({ block: "nearest", inline: "nearest" });
  if (wasInside) current.focus();
});
at("canvas").addEventListener("mousemove", (event) => light(view.at(event.clientX, event.clientY)));
at("canvas").addEventListener("mouseleave", () => light(null));
at("score").addEventListener("input", () => {
  minScore = Number(at("score").value);
  filter();
});
at("overlap").addEventListener("input", askAgain);
at("camera").addEventListener("click", () => {
  if (!camera.running) return startCamera();
  stopCamera();
  show(pictures.at(-1) ?? null);
});
at("take").addEventListener("click", async () => add([(await camera.frame()).file]));
for (const button of document.querySelectorAll("[data-download]")) {
  button.addEventListener("click", () => download(button.dataset.download));
}
at("token-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  useToken(at("token").value);
  complain(null);
  await begin();
  if (!model) complain(new Error("That is not the token."));
});
new ResizeObserver(() => shown && resize()).observe(at("stage"));
begin();
