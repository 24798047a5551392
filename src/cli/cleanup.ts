/**
 * What is undone when the process ends before its work does.
 *
 * Owns: the handlers of Ctrl-C and its like. They are there only while something unfinished is: a
 * handler waits while a computation holds the thread, and without one the process ends at once.
 */
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

const pending = new Set<() => void>();

/**
 * Has `undo` run if the process is interrupted or exits before the returned function is called.
 * It is synchronous; what it throws is ignored.
 */
export function undoOnExit(undo: () => void): () => void {
  if (pending.size === 0) {
    for (const signal of signals) process.on(signal, onSignal);
    process.on("exit", undoAll);
  }
  pending.add(undo);
  return () => forget(undo);
}

function forget(undo: () => void): void {
  if (!pending.delete(undo) || pending.size > 0) return;
  for (const signal of signals) process.off(signal, onSignal);
  process.off("exit", undoAll);
}

/** The latest first: a file goes before the folder that was made for it. */
function undoAll(): void {
  for (const undo of [...pending].reverse()) {
    attempt(undo);
    forget(undo);
  }
}

function onSignal(signal: NodeJS.Signals): void {
  undoAll();
  // Our listener is gone now. Without another one the process ends as if it had never listened,
  // and its parent sees the signal.
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

/** For tidying after a failure: what failed first is what the user is told, a second adds nothing. */
export function attempt(step: () => void): void {
  try {
    step();
  } catch {
    // Said above.
  }
}
