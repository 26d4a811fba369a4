"""Files, memory, processors, threads, devices and downloads of this machine. Does not know detection."""
