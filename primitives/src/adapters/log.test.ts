// The log as another process sees it: JSON lines on stderr, no secret in them.
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

const path = new URL("./log.ts", import.meta.url).href;

function lines(level: string, code: string): Record<string, unknown>[] {
  const script = `const { startLog } = await import(${JSON.stringify(path)}); const log = startLog("node", "${level}"); ${code}`;
  const { stderr, stdout } = spawnSync(
    process.execPath,
    ["--input-type=module", "--no-warnings", "-e", script],
    {
      encoding: "utf8",
    },
  );
  expect(stdout).toBe("");
  return stderr
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

test("bytes, bigints and errors are readable, and fields named as secrets are not", () => {
  const [first, second] = lines(
    "info",
    `log.child({ part: "p2p" }).info("hello", { id: Uint8Array.of(1, 255), amount: 5n, error: new TypeError("no"), password: "hunter2", keys: { secret: "hunter2" } });
     log.debug("unseen"); log.error("last");`,
  );
  expect(first).toMatchObject({
    level: "info",
    name: "node",
    part: "p2p",
    message: "hello",
    id: "01ff",
    amount: "5",
    error: { name: "TypeError", message: "no" },
    password: "[secret]",
    keys: { secret: "[secret]" },
  });
  expect(second).toMatchObject({ level: "error", message: "last" });
});

test("a silent log says nothing", () => {
  expect(lines("silent", `log.error("x");`)).toEqual([]);
});
