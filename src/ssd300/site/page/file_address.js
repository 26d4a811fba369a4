// Says what to do where the page was opened from a disk: browsers load modules and models from a web server alone.
// It is no module, as otherwise it would not run there.

if (location.protocol === "file:") {
  const note = document.getElementById("error");
  note.textContent = "Browsers do not run this page from a file. In its folder, run python -m http.server, and open "
    + "http://localhost:8000.";
  note.hidden = false;
  document.getElementById("model").textContent = "";
}
