// The camera: its video, its frames, and what went wrong as sentences.

import { byId } from "./elements.js";

const QUALITY = 0.9;
const IDEAL_WIDTH = 1280;
const CAUSES = {
  NotAllowedError: "This page is not allowed to use the camera. Allow it in the browser (the sign beside the address), "
    + "then press Live camera again.",
  NotFoundError: "No camera was found. Connect one, then press Live camera again.",
  OverconstrainedError: "This camera is no longer there. Press Live camera to use another one.",
  NotReadableError: "The camera does not start; another program may be using it. End that, then press Live camera again.",
};

class Camera {
  #video;
  #stream = null;

  constructor(video) {
    this.#video = video;
  }

  get running() {
    return this.#stream !== null;
  }

  // The name and the id of the camera that runs.
  get name() {
    return this.#track?.label || "Camera";
  }

  get id() {
    return this.#track?.getSettings().deviceId;
  }

  get size() {
    return { width: this.#video.videoWidth, height: this.#video.videoHeight };
  }

  // Starts the camera with this id, or else the one at the back, unless `signal` was aborted before it was allowed.
  // `onLost` is called if it is unplugged. Throws an Error whose message is a sentence.
  async start(id, onLost, signal) {
    const stream = await open(id);
    if (signal.aborted) return end(stream);
    this.#stream = stream;
    this.#track.addEventListener("ended", onLost);
    this.#video.srcObject = stream;
    await this.#video.play().catch(() => {
      if (!signal.aborted) throw new Error("The browser does not play the camera's video. Press Live camera again.");
    });
  }

  stop() {
    end(this.#stream);
    this.#stream = null;
    this.#video.srcObject = null;
  }

  // All cameras as {id, name}. Browsers name them once one has been allowed.
  async list() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    const cameras = devices.filter((one) => one.kind === "videoinput" && one.deviceId);
    return cameras.map(({ deviceId, label }, number) => ({ id: deviceId, name: label || `Camera ${number + 1}` }));
  }

  // The current frame as a JPEG, made smaller if its longer side is more than `longest` pixels.
  async frame(longest = Infinity) {
    const { width, height } = this.size;
    const scale = Math.min(1, longest / Math.max(width, height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.getContext("2d").drawImage(this.#video, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
    return new File([blob], "camera.jpg", { type: "image/jpeg" });
  }

  get #track() {
    return this.#stream?.getVideoTracks()[0];
  }
}

async function open(id) {
  if (!navigator.mediaDevices?.getUserMedia) {
    const { port, pathname } = location;
    const here = `http://localhost${port && `:${port}`}${pathname}`;
    throw new Error(`Browsers allow the camera only on ${here} (on the server's own machine) or over HTTPS, and this `
      + `page is at ${location.origin}.`);
  }
  const which = id ? { deviceId: { exact: id } } : { facingMode: "environment" };
  try {
    return await navigator.mediaDevices.getUserMedia({ video: { ...which, width: { ideal: IDEAL_WIDTH } } });
  } catch (error) {
    throw new Error(CAUSES[error.name] ?? `The camera does not start (${error.message}).`);
  }
}

function end(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

export const camera = new Camera(byId("video"));
