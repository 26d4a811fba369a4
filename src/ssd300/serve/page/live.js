// Detection on the camera's frames, and its buttons.

import { camera } from "./camera.js";
import { detectIn } from "./detection.js";
import { byId } from "./elements.js";
import { showError } from "./notices.js";
import { show } from "./screen.js";
import { newEntry, state } from "./state.js";

export function toggleCamera() {
  if (!camera.running) return startCamera();
  stopCamera();
  showLast();
}

export function stopCamera() {
  if (camera.running) camera.stop();
  byId("camera").textContent = "Camera";
  byId("capture").hidden = true;
}

async function startCamera() {
  showError(null);
  byId("camera").textContent = "Stop camera";
  try {
    await camera.start(detectInFrame);
  } catch (error) {
    stopCamera();
    showLast();
    showError(error);
  }
}

async function detectInFrame(canvas, file, signal) {
  const frame = newEntry(file, canvas);
  byId("capture").hidden = false;
  await detectIn(frame, signal);
  if (signal.aborted) return;
  if (frame.error) throw frame.error;
  show(frame);
}

function showLast() {
  show(state.entries.at(-1) ?? null);
}
