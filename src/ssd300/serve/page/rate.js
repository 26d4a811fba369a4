// How many frames per second the camera view reaches, and how long a frame takes: means over the last second or so.

const SPAN_MS = 1500;

export class Rate {
  #frames = []; // {at, ms}: when a frame was done, and how long it took

  add(at, ms) {
    this.#frames.push({ at, ms });
    while (at - this.#frames[0].at > SPAN_MS) this.#frames.shift();
  }

  // Such as "8.1 frames/s · 95 ms"; empty before the second frame.
  get text() {
    const count = this.#frames.length;
    if (count < 2) return "";
    const perSecond = (1000 * (count - 1)) / (this.#frames[count - 1].at - this.#frames[0].at);
    const mean = this.#frames.reduce((sum, { ms }) => sum + ms, 0) / count;
    return `${perSecond.toFixed(1)} frames/s · ${Math.round(mean)} ms`;
  }
}
