// The camera view: detections drawn over the video, in one frame after another, never two at once; and its controls.

import { camera } from "./camera.js";
import { detectIn } from "./detection.js";
import { byId, element } from "./elements.js";
import { showError, showNote } from "./notices.js";
import { Rate } from "./rate.js";
import { show } from "./screen.js";
import { newEntry, state } from "./state.js";

const LONGEST_SIDE = 640; // pixels of a frame that is sent; the network's input is smaller
const RATE_EVERY_MS = 500; // a number that changes with each frame cannot be read
const BUSY_PAUSE_MS = 500; // after the server said that it is busy

let running = null; // an AbortController from the press of the button on, before the browser allows the camera
let chosenId = null;

export function toggleCamera() {
  if (!running) return startCamera();
  stopCamera();
  showLast();
}

// Stops the camera, for the reason that is given, if any.
export function stopCamera(reason = null) {
  if (!running) return;
  running.abort();
  running = null;
  camera.stop();
  drawControls();
  if (reason) {
    showLast();
    showNote(reason);
  }
}

export async function chooseCamera(id) {
  chosenId = id;
  stopCamera();
  await startCamera();
}

// The picture that the camera shows now, in its full size.
export function capture() {
  return camera.frame();
}

async function startCamera() {
  running = new AbortController();
  const { signal } = running;
  showError(null);
  showNote(null);
  drawControls();
  try {
    await camera.start(chosenId, () => stopCamera("The camera was disconnected."), signal);
    if (!signal.aborted) await listCameras();
    if (!signal.aborted) await detectInFrames(signal);
  } catch (error) {
    if (signal.aborted) return;
    chosenId = null;
    stopCamera();
    showLast();
    showError(error);
  }
}

async function detectInFrames(signal) {
  const rate = new Rate();
  let shownAt = -Infinity;
  drawControls();
  show(frameEntry(null));
  while (!signal.aborted) {
    const started = performance.now();
    const frame = frameEntry(await camera.frame(LONGEST_SIDE));
    await detectIn(frame, signal);
    if (signal.aborted) return;
    if (frame.error?.status === 503) await pause(BUSY_PAUSE_MS);
    else if (frame.error) throw frame.error;
    else show(frame);
    const now = performance.now();
    rate.add(now, now - started);
    if (now - shownAt < RATE_EVERY_MS) continue;
    byId("rate").textContent = frame.error ? "The server is busy …" : rate.text;
    shownAt = now;
  }
}

function frameEntry(file) {
  return Object.assign(newEntry(file, camera.size), { isLive: true });
}

async function listCameras() {
  const cameras = await camera.list();
  const options = cameras.map(({ id, name }) => element("option", { value: id, selected: id === camera.id }, [name]));
  byId("camera-choice").replaceChildren(...options);
}

function drawControls() {
  byId("camera").textContent = running ? "Stop camera" : "Live camera";
  byId("capture").hidden = !camera.running;
  byId("camera-choice").hidden = !camera.running || byId("camera-choice").options.length < 2;
  byId("rate").hidden = !running;
  byId("rate").textContent = "Waiting for the camera …";
}

function showLast() {
  show(state.entries.at(-1) ?? null);
}

function pause(ms) {
  return new Promise((done) => setTimeout(done, ms));
}
