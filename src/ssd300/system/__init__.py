"""What the machine gives: files, memory, threads, processors, devices and the web. Knows nothing of detection."""
