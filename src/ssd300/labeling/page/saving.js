// Saves each change at once, one request after the other, and says whether all is saved.

import { request } from "./api.js";
import { byId } from "./elements.js";
import { showError, showNote } from "./notices.js";
import { state } from "./state.js";

const WAIT_MS = 300; // after a change, as more may follow
const AGAIN_MS = 2500; // after a failure
const CONFLICT = 409;
const words = { saved: "All saved", waiting: "Saving …", failed: "Not saved", conflict: "Not saved: changed elsewhere" };
let timer = 0;
let running = null; // the promise of the request that is under way
let isChanged = false; // since the last request began
let theirs = null; // the labels of others that are in the way
let saves = 0; // that have ended
let whenSaved = () => {};

export function onSaved(call) {
  whenSaved = call;
}

export function schedule() {
  isChanged = true;
  show(theirs ? "conflict" : "waiting");
  clearTimeout(timer);
  if (!theirs) timer = setTimeout(save, WAIT_MS);
}

// Saves what is not saved yet. False if that was not possible.
export async function flush() {
  clearTimeout(timer);
  while (running || (isChanged && !theirs)) {
    if (running) await running;
    else if (!(await save())) return false;
  }
  return !theirs;
}

export function isBusy() {
  return isChanged || running !== null || theirs !== null;
}

export function countOfSaves() {
  return saves;
}

export function resolved() {
  theirs = null;
  isChanged = false;
  byId("conflict").hidden = true;
  show("saved");
}

export function otherLabels() {
  return theirs;
}

// Saves over the labels of others. Their objects are replaced; what the page began with keeps its unknown parts.
export function keepMine() {
  state.version = theirs.version;
  theirs = null;
  byId("conflict").hidden = true;
  schedule();
}

function save() {
  running = send().finally(() => (running = null));
  return running;
}

async function send() {
  const { image, keys } = state;
  const boxes = state.boxes.filter((one) => one.name || !one.box); // a box gets its class first
  isChanged = false;
  const isIncomplete = boxes.length < state.boxes.length;
  const body = {
    version: state.version,
    exists: state.exists && !(isIncomplete && boxes.length === 0),
    boxes: boxes.map(({ id, name, box, difficult, truncated }) => ({ key: keys.get(id) ?? "", name, box, difficult, truncated })),
  };
  try {
    const answer = await request(`v1/label/images/${image.number}`, {
      method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" }, keepalive: body.boxes.length < 200,
    });
    const saved = await answer.json();
    saves += 1;
    state.version = saved.version;
    boxes.forEach((one, number) => keys.set(one.id, saved.boxes[number]?.key ?? ""));
    showError(null);
    if (!isChanged) show("saved", isIncomplete ? "A box needs a class" : undefined);
    if (!isIncomplete) showNote(null);
    whenSaved(saved);
    return true;
  } catch (error) {
    isChanged = true;
    if (error.status === CONFLICT && error.content.current) {
      theirs = error.content.current;
      byId("conflict").hidden = false;
      showNote(null); // an older one may say that all is loaded
      show("conflict");
    } else {
      show("failed");
      showError(error);
      clearTimeout(timer);
      timer = setTimeout(() => isChanged && !running && save(), AGAIN_MS);
    }
    return false;
  }
}

function show(which, text = words[which]) {
  byId("saved").textContent = text;
  byId("saved").dataset.state = which;
}
