// What the page knows: the model, the images, and the settings of the controls. Knows neither the document nor the
// server; the other modules read and write `state`.

export const state = {
  model: null, // as GET v1/model describes it
  colors: new Map(), // label -> {color, textColor}
  entries: [], // the images in the strip
  shown: null, // one of them, or the camera's last frame
  highlighted: null, // one of the shown detections
  hiddenLabels: new Set(),
  minScore: null, // the confidence threshold; null for the one that the weights store for each class
  maxOverlap: undefined, // the NMS IoU
  requestedMinScore: undefined, // the lowest threshold that the slider can reach: above it, filtering needs no request
};

export function newEntry(file, bitmap) {
  return {
    file,
    bitmap, // its pixels; undefined until they are decoded, null for a format that the browser does not know
    result: null, // {width, height, detections, timing_ms}
    totalMs: undefined, // of the request
    device: undefined, // that ran the network, where the page itself detects: "cpu" or "webgpu"
    error: null,
    maxOverlap: undefined, // the NMS IoU that was requested; undefined while the image waits
    isLive: false, // a frame of the camera, drawn over its video
    isRunning: false, // its request has been sent and not answered
  };
}

// The confidence threshold of each class that the weights store: label -> threshold.
export function storedThresholds() {
  return new Map(state.model?.classes.map((one) => [one.name, one.min_score]));
}

// The detections above the confidence threshold, of hidden classes too.
export function aboveThreshold(entry) {
  if (!entry?.result) return [];
  const stored = storedThresholds();
  return entry.result.detections.filter(({ label, score }) => score > (state.minScore ?? stored.get(label)));
}

export function visible(entry) {
  return aboveThreshold(entry).filter(({ label }) => !state.hiddenLabels.has(label));
}

// Whether the result belongs to another NMS IoU than the slider shows.
export function isStale(entry) {
  return entry !== null && entry.maxOverlap !== state.maxOverlap;
}

export function nameOf(entry) {
  return entry.file.name || "image";
}

export function colorOf(label) {
  return state.colors.get(label)?.color ?? "gray";
}

// label -> number of detections
export function countLabels(detections) {
  const counts = new Map();
  for (const { label } of detections) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts;
}
