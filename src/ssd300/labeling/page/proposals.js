// The boxes that a model proposes: which of them are shown, and what becomes of them.

import { request } from "./api.js";
import { addClass, drawClassList } from "./class_list.js";
import { shownCase } from "./disagreement.js";
import { byId, dot, element } from "./elements.js";
import { addAll, canEdit, forgetSelection } from "./editing.js";
import { overlap } from "./geometry.js";
import { showError, showNote } from "./notices.js";
import { colorOf, newId, selectedProposal, state } from "./state.js";

const SAME = 0.5; // a proposal that overlaps a box by more is that box's
const AHEAD = 6;
const FEW = 30; // classes that are not here: more, such as COCO's, are left out at first
const AGAIN_MS = 1000;
const MAPPING = "ssd300-label-classes";
let about = null; // {weights, classes, min_scores, left, fault}
let mapping = new Map(); // from classes of the model to those here; "" leaves them out
let isLoading = false;
const asked = new Set(); // classes of the model that the user has been asked about, before they are added here
let threshold = null; // of all classes; null for that of each class, which the weights hold
let isSet = false; // whether the slider has its first value
let redraw = () => {};
let allAreKnown = () => {};

export function setUpProposals(call) {
  redraw = call;
  byId("proposals").hidden = byId("image-order").hidden = !state.project.proposes;
  mapping = new Map(JSON.parse(localStorage.getItem(mappingKey()) ?? "[]"));
  for (const name of mapping.keys()) asked.add(name);
}

// `call` is called once the model has looked at all images that it was asked for.
export function whenAllAreKnown(call) {
  allAreKnown = call;
}

// Asks until the detections of the shown image are known. `ahead` are the numbers of the next images.
export async function loadProposals(ahead) {
  if (!state.project.proposes) return;
  const { number } = state.image;
  const query = ahead.slice(0, AHEAD).map((one) => `ahead=${one}`).join("&");
  isLoading = true;
  drawProposals();
  while (state.image.number === number) {
    const found = await request(`v1/label/proposals/${number}?${query}`).then((answer) => answer.json()).catch(() => null);
    if (state.image.number !== number) return;
    if (found) takeAbout(found.about);
    if (found?.is_ready) {
      state.proposals = found.boxes.map((one) => ({ ...one, id: newId(), model: one.name }));
      isLoading = false;
      nameAll();
      redraw();
      return;
    }
    if (about?.fault) return;
    await new Promise((done) => setTimeout(done, found ? 0 : AGAIN_MS));
  }
}

// Those from the confidence threshold on that no box covers yet.
export function shownProposals() {
  if (!state.project?.proposes || !canEdit() || shownCase()) return [];
  return state.proposals.filter((one) => one.score >= (threshold ?? about.min_scores[one.model]) && one.name
    && !state.boxes.some((other) => other.box && overlap(other.box, one.box) > SAME));
}

// Takes one proposal, or all that are shown. Their classes are added where they are new.
export async function accept(all) {
  const shown = shownProposals();
  const one = selectedProposal();
  const taken = all || !one ? shown : shown.filter((other) => other === one);
  if (taken.length === 0) return;
  if (mustAsk(taken)) return;
  const { number } = state.image;
  try {
    for (const name of new Set(taken.map((other) => other.name))) {
      if (!state.classes.some((known) => known.name === name)) await addClass(name);
    }
  } catch (error) {
    showError(error);
    return;
  }
  if (state.image.number !== number) return;
  drawClassList();
  drawMapping();
  forgetSelection();
  addAll(taken.map(({ name, box }) => ({ name, box })), taken.length === 1);
}

// Whether classes that are not here would be added unasked: their list is opened then, and the next call takes them.
function mustAsk(taken) {
  const isNew = ({ name, model }) => !asked.has(model) && !state.classes.some((known) => known.name === name);
  const names = [...new Set(taken.filter(isNew).map((one) => one.model))];
  if (names.length === 0) return false;
  for (const name of names) asked.add(name);
  byId("mapping").open = true;
  showNote(`${names.length === 1 ? "A class is" : `${names.length} classes are`} not in this data: ${names.join(", ")}. `
    + `Accept again to add ${names.length === 1 ? "it" : "them"}, or choose in the list under Proposals.`);
  return true;
}

// Leaves a proposal out, until the image is shown again.
export function dismiss() {
  const one = selectedProposal();
  if (!one) return false;
  state.proposals = state.proposals.filter((other) => other !== one);
  forgetSelection();
  drawProposals();
  redraw();
  return true;
}

// The numbers of all images, those of which the model is least sure first.
export async function leastSure(by) {
  const numbers = await (await request(`v1/label/proposals/order?by=${by}`)).json();
  takeAbout(await (await request("v1/label/proposals")).json()); // for some measures it looks at images again
  drawProposals();
  return numbers;
}

export async function proposeForAll() {
  takeAbout(await (await request("v1/label/proposals/all", { method: "POST" })).json());
  drawProposals();
}

// What is known of the model now; asked while it looks at images.
export async function askAbout() {
  if (!state.project.proposes || !about?.left) return;
  takeAbout(await (await request("v1/label/proposals")).json());
  drawProposals();
  if (!about.left) allAreKnown();
}

export function drawProposals() {
  if (!state.project?.proposes) return;
  const count = shownProposals().length;
  drawThreshold();
  byId("accept-all").disabled = count === 0;
  byId("accept-all").textContent = count === 1 ? "Accept 1" : `Accept ${count}`;
  byId("accept-one").disabled = !selectedProposal();
  byId("proposals-state").textContent = about?.fault || inWords(count);
}

function inWords(count) {
  const left = about?.left ? ` ${about.left.toLocaleString("en")} ${about.left === 1 ? "image" : "images"} left.` : "";
  if (isLoading) return "Detecting …";
  return (count > 0 ? "A click on a dashed box selects it." : "No proposal from this threshold on.") + left;
}

// One confidence threshold for all classes; null for those that the weights hold.
export function chooseThreshold(value) {
  const held = heldThresholds();
  threshold = value ?? (held.length > 1 ? null : held[0]);
  byId("min-score").value = threshold ?? held[0];
}

// The different thresholds of the weights, the lowest first.
function heldThresholds() {
  return [...new Set(Object.values(about?.min_scores ?? {}))].sort((a, b) => a - b);
}

function drawThreshold() {
  const [slider, output] = [byId("min-score"), byId("min-score-value")];
  const each = Object.entries(about?.min_scores ?? {}).map(([name, score]) => `${name} ${score.toFixed(2)}`).join(", ");
  output.textContent = threshold?.toFixed(2) ?? (each && "by class");
  output.title = threshold === null ? each : "";
  slider.setAttribute("aria-valuetext", threshold?.toFixed(2) ?? each);
  slider.classList.toggle("unused", threshold === null);
  byId("by-class").hidden = threshold === null || heldThresholds().length < 2;
}

function takeAbout(found) {
  const isNew = found.weights !== about?.weights || found.classes.length !== about?.classes.length;
  about = found;
  byId("proposals-weights").textContent = found.weights;
  if (found.classes.length > 0 && !isSet) {
    isSet = true;
    chooseThreshold(null);
  }
  if (isNew) drawMapping();
}

// After other weights were taken: their own threshold, and nothing of the former ones.
export function useOtherWeights() {
  isSet = false;
  state.project.proposes = true;
  byId("proposals").hidden = byId("image-order").hidden = false;
}

// Classes of the model that have no class of their name here, or were joined with another: each is added by it, taken for another one, or left out.
function drawMapping() {
  if (!about) return;
  const isForeign = (name) => !sameHere(name) || (mapping.has(name) && mapping.get(name) !== sameHere(name));
  const foreign = about.classes.filter(isForeign);
  byId("mapping").hidden = foreign.length === 0;
  byId("mapping-rows").replaceChildren(...foreign.map((name) => {
    const options = [["", "leave out"], [name, `new class ${name}`], ...state.classes.filter((one) => one.name !== name)
      .map((one) => [one.name, one.name])].map(([value, text]) => element("option", { value, textContent: text }));
    const select = element("select", {}, options);
    const usual = state.classes.length === 0 || foreign.length < FEW ? name : "";
    select.value = options.some((one) => one.value === mapping.get(name)) ? mapping.get(name) : usual;
    select.dataset.model = name;
    select.setAttribute("aria-label", `${name} of the model becomes`);
    return element("div", { className: "mapped" }, [dot(colorOf(name).color), element("span", { className: "name" }, [name]), select]);
  }));
  byId("mapping-count").textContent = String(foreign.length);
}

export function chooseMapping(name, value) {
  mapping.set(name, value);
  asked.add(name);
  localStorage.setItem(mappingKey(), JSON.stringify([...mapping]));
  nameAll();
  drawProposals();
  redraw();
}

// After a class was renamed or joined: what the model calls by the old name becomes the new one.
export function renameMapped(old, name) {
  for (const model of about?.classes ?? []) {
    const isOld = mapping.get(model) === old || (!mapping.has(model) && fold(model) === fold(old));
    if (isOld && fold(model) !== fold(name)) mapping.set(model, name);
  }
  localStorage.setItem(mappingKey(), JSON.stringify([...mapping]));
  drawMapping();
  nameAll();
}

function mappingKey() {
  return `${MAPPING} ${state.project.place}`;
}

function nameAll() {
  const usual = new Map([...byId("mapping-rows").querySelectorAll("select")].map((one) => [one.dataset.model, one.value]));
  state.proposals = state.proposals.map((one) => ({ ...one, name: usual.get(one.model) ?? sameHere(one.model) ?? one.model }));
}

// The class here that has the name of a class of the model, but for case and spaces.
function sameHere(name) {
  return state.classes.find((one) => fold(one.name) === fold(name))?.name;
}

function fold(text) {
  return text.normalize("NFKC").trim().toLowerCase();
}
