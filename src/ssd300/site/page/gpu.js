// Whether the network can run on a GPU of this browser. For a module and for the service worker, which is none.

// WebAssembly must be able to wait for the GPU (JSPI). A GPU that the processor simulates is slower than WebAssembly.
self.hasGpu = async ({ orSimulated = false } = {}) => {
  if (!("Suspending" in WebAssembly)) return false;
  try {
    const adapter = await navigator.gpu?.requestAdapter();
    return Boolean(adapter) && (orSimulated || !adapter.info.isFallbackAdapter);
  } catch {
    return false; // Firefox refuses with an error where it has the interface and not the GPU
  }
};
