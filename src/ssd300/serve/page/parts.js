// The pieces that the page is put together from: each is made from what it shows, and knows nothing else.

const STAGES = { receive: "Receive", decode: "Decode", wait: "Wait", network: "Network", select: "Select" };

export function element(tag, properties, children = []) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// A line of the list; `light` is called with the detection, or with null when the pointer or the focus leaves.
export function row(detection, colors, light) {
  const button = element("button", { type: "button" }, [
    dot(detection.label, colors),
    element("span", { className: "name" }, [detection.label]),
    element("span", { className: "score" }, [detection.score.toFixed(2)]),
  ]);
  button.detection = detection;
  for (const event of ["mouseenter", "focus"]) button.addEventListener(event, () => light(detection));
  for (const event of ["mouseleave", "blur"]) button.addEventListener(event, () => light(null));
  return element("li", {}, [button]);
}

export function chip(label, count, colors, isShown, toggle) {
  const button = element("button", { type: "button", onclick: toggle }, [dot(label, colors), `${label} ${count}`]);
  button.setAttribute("aria-pressed", String(isShown));
  return button;
}

// A bar and a table of milliseconds by stage.
export function timing(times, total) {
  const stages = Object.keys(STAGES);
  const bar = element("div", { className: "bar" }, stages.map((stage, number) => {
    const part = element("span", { className: `stage-${number}` });
    part.style.flexGrow = String(Math.max(times[stage], 0));
    return part;
  }));
  bar.setAttribute("aria-hidden", "true");
  const rows = stages.flatMap((stage, number) => [
    element("span", { className: `dot stage-${number}` }),
    element("dt", {}, [STAGES[stage]]),
    element("dd", {}, [inMs(times[stage])]),
  ]);
  const all = [element("span", {}), element("dt", { className: "all" }, ["Together"]), element("dd", { className: "all" }, [inMs(total)])];
  return [bar, element("dl", { className: "stages" }, [...rows, ...all])];
}

// A picture in the strip; `count` is null while it is not looked at.
export function thumb(picture, count, isShown, choose, remove) {
  const name = picture.file.name || "picture";
  const open = element("button", { type: "button", className: "open", title: name, onclick: choose }, [picture.image === null ? element("span", { className: "kind" }, [name.split(".").at(-1)]) : element("img", { src: picture.url, alt: "" })]);
  open.setAttribute("aria-label", `${name}, ${picture.error ? "not looked at" : count === null ? "waiting" : `${count} found`}`);
  open.setAttribute("aria-current", String(isShown));
  const cross = element("button", { type: "button", className: "remove", title: "Remove", onclick: remove }, ["×"]);
  cross.setAttribute("aria-label", `Remove ${name}`);
  const badge = element("span", { className: picture.error ? "badge bad" : "badge" }, [picture.error ? "!" : String(count ?? "…")]);
  return element("div", { className: "thumb" }, [open, badge, cross]);
}

export function countsOf(detections) {
  const counts = new Map();
  for (const { label } of detections) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts;
}

export function inWords(detections) {
  return [...countsOf(detections)].map(([label, count]) => `${count} ${label}`).join(", ") || "nothing found";
}

// New children in place of the old ones; the button that had the focus keeps it, by its place, or the last one gets it.
export function replaceKeepingFocus(parent, children) {
  const place = [...parent.querySelectorAll("button")].indexOf(document.activeElement);
  parent.replaceChildren(...children);
  const buttons = parent.querySelectorAll("button");
  if (place >= 0) (buttons[place] ?? buttons[buttons.length - 1])?.focus();
}

// The picture at an address, null for a kind that the browser does not know.
export async function decoded(url) {
  const image = new Image();
  image.src = url;
  return image.decode().then(() => image, () => null);
}

function dot(label, colors) {
  const made = element("span", { className: "dot" });
  made.style.background = colors.get(label)?.color ?? "gray";
  return made;
}

function inMs(ms) {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
