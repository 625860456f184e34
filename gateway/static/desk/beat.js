// A clock that browsers do not slow down when the tab is hidden: an agent who reads a file is still there.
setInterval(() => postMessage(0), 25_000);
