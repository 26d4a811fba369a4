// The camera: frames one after another, the next one when the last one has been handled.

import { byId } from "./elements.js";

const QUALITY = 0.9;

class Camera {
  #video;
  #stream = null;
  #stopped = new AbortController();

  constructor(video) {
    this.#video = video;
  }

  get running() {
    return this.#stream !== null;
  }

  // `onFrame` gets each frame as a canvas and as a file, and is awaited; its signal is aborted by `stop`.
  // Throws an Error whose message is a sentence.
  async start(onFrame) {
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new Error("The browser allows the camera only on pages from this machine or over HTTPS.");
    }
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch (error) {
      const denied = error.name === "NotAllowedError";
      throw new Error(denied ? "The browser denies this page the camera." : "No usable camera was found.");
    }
    this.#stopped = new AbortController();
    this.#video.srcObject = this.#stream;
    await this.#video.play();
    const signal = this.#stopped.signal;
    while (!signal.aborted) {
      const { canvas, file } = await this.frame();
      if (!signal.aborted) await onFrame(canvas, file, signal);
    }
  }

  stop() {
    this.#stopped.abort();
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.#video.srcObject = null;
  }

  // The current frame.
  async frame() {
    const canvas = document.createElement("canvas");
    canvas.width = this.#video.videoWidth;
    canvas.height = this.#video.videoHeight;
    canvas.getContext("2d").drawImage(this.#video, 0, 0);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
    return { canvas, file: new File([blob], "camera.jpg", { type: "image/jpeg" }) };
  }
}

export const camera = new Camera(byId("video"));
