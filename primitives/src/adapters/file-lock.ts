// One process per folder or file: a lock file with the owner's pid and start time, so that a crashed
// owner's lock is recognised and a second owner is refused with a sentence.
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { diskFailure, Failure } from "../failure.ts";

const held = new Set<string>();
let attempts = 0;

/**
 * Takes `<path>.lock` or throws Failure: "locked" names the owner, or "disk"; gives the function that releases it.
 */
export function lockFile(path: string): () => void {
  const lock = `${path}.lock`;
  const mine = `${lock}.${process.pid}.${attempts++}`;
  const content = identity(process.pid);
  try {
    writeFileSync(mine, content, { mode: 0o600 });
    if (held.has(lock)) throw new Failure("locked", `${path} is in use by this process`);
    if (!linked(mine, lock)) {
      removeIfStale(path, lock, mine);
      if (!linked(mine, lock)) throw new Failure("locked", `${path} was just taken by another`);
    }
  } catch (cause) {
    throw diskFailure(`cannot lock ${path}`, cause);
  } finally {
    rmSync(mine, { force: true });
  }
  held.add(lock);
  return () => {
    if (!held.delete(lock)) return;
    rmSync(lock, { force: true });
  };
}

/** A hard link is created atomically or not at all, with its content. */
function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw cause;
  }
}

function removeIfStale(path: string, lock: string, mine: string): void {
  const content = readOrEmpty(lock);
  const pid = Number.parseInt(content, 10);
  if (Number.isSafeInteger(pid) && pid > 0 && identity(pid) === content)
    throw new Failure("locked", `${path} is in use by process ${pid}`);
  const aside = `${mine}.stale`;
  try {
    renameSync(lock, aside);
  } catch {
    return; // another process removed it first; the link decides
  }
  const moved = readOrEmpty(aside);
  // Somebody replaced the stale lock between our look and our move: give it back to them.
  if (moved !== content) linked(aside, lock);
  rmSync(aside, { force: true });
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** "<pid> <start time>", or "" when no such process lives; a reused pid has another start time. */
function identity(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the command in brackets and may hold spaces; starttime is field 22.
    const startedAt = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    return `${pid} ${startedAt}\n`;
  } catch {
    return alive(pid) ? `${pid} \n` : "";
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "EPERM";
  }
}
