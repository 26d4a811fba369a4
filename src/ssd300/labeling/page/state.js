// What the page knows: the project, the image that is shown, its boxes, and what is selected. No elements here.

export const state = {
  project: null, // as /v1/label/project has it
  lines: [], // of the images, by number
  classes: [], // {name, color, text_color, objects}
  colors: new Map(), // by name
  image: null, // as /v1/label/images/NUMBER has it
  boxes: [], // {id, name, box: [xmin, ymin, xmax, ymax] or null, difficult, truncated, fault}; never changed in place
  exists: false, // whether the image has labels, be it without objects
  keys: new Map(), // under which the server knows a box, by its id
  version: "",
  selected: null, // the id of a box, or of a proposal
  hovered: null,
  activeClass: "",
  proposals: [], // like boxes, with score
  decisions: 0, // of the review, that can be undone
  disagreement: null, // of labels and detector, that the review has shown last; as /v1/label/review has it
};
const UNKNOWN = { color: "#8a94a6", text_color: "#000000" };
let lastId = 0;

export function newId() {
  lastId += 1;
  return lastId;
}

export function useClasses(classes) {
  state.classes = classes;
  state.colors = new Map(classes.map((one) => [one.name, one]));
  if (!state.colors.has(state.activeClass)) state.activeClass = classes[0]?.name ?? "";
}

export function colorOf(name) {
  return state.colors.get(name) ?? UNKNOWN;
}

export function selectedBox() {
  return state.boxes.find((one) => one.id === state.selected) ?? null;
}

export function selectedProposal() {
  return state.proposals.find((one) => one.id === state.selected) ?? null;
}

export function lineState(line) {
  if (line.fault) return "fault";
  return line.state;
}
