import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { toHex } from "@causeway/primitives";
import { systemEntropy } from "@causeway/primitives/adapters/entropy";
import { afterAll, expect, test } from "vitest";
import { rehearseCommand } from "./rehearse-cli.ts";

const stake = 1_000_000_00000000n;
const point = `02${"11".repeat(32)}`;
const lock = (i: number): string => toHex(new Uint8Array(32).fill(i));

/** A node whose ring of five seats was drawn from three who are there and one who has gone. */
const node = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk: Buffer) => {
    body += chunk.toString();
  });
  request.on("end", () => {
    const { id } = JSON.parse(body) as { id: number };
    const result = {
      ...{ term: 2, running: 2, election: "done", epoch: 4, startedAt: 1, threshold: 4 },
      seats: [1, 1, 2, 2, 3].map((i) => ({ validator: lock(i), hostKey: point, inService: true })),
      output: lock(9),
      candidates: [1, 2, 3, 4].map((i) => ({
        owner: lock(i),
        stake: String(stake * BigInt(5 - i)),
        isGone: i === 4,
      })),
    };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ jsonrpc: "2.0", id, result }));
  });
});
await new Promise<void>((done) => node.listen(0, "127.0.0.1", done));
const url = `http://127.0.0.1:${(node.address() as AddressInfo).port}`;
afterAll(() => void node.close());

async function rehearsed(words: readonly string[]): Promise<string[]> {
  const lines: string[] = [];
  const print = (line: string): void => void lines.push(line);
  await rehearseCommand(words, { env: {}, print, entropy: systemEntropy });
  return lines;
}

test("rehearses with the size and the stakes of the running ring", async () => {
  const [line = ""] = await rehearsed(["--node", url, "--messages", "2", "--json"]);
  expect(JSON.parse(line)).toMatchObject({ ok: true, validators: 3, ringSeats: 5, warnings: {} });
}, 60_000);

test("prints each stage, and refuses sizes that no ring has", async () => {
  const lines = await rehearsed(["--seats", "4", "--validators", "2", "--messages", "1"]);
  expect(lines.filter((line) => /: ok \(\d+ ms of CPU/.test(line))).toHaveLength(8);
  for (const words of [["--seats", "151"], ["--seats", "x"], ["--messages", "0"], ["--foo"]])
    await expect(rehearsed(words)).rejects.toMatchObject({ code: "usage" });
}, 60_000);
