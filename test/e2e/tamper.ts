// A node's RPC with a lie in it: passes everything on, but the proofs of chosen records are false or missing.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export type Tamper = {
  readonly url: string;
  /** What it does to the records that `picks` chooses, from now on. */
  mode: "honest" | "false-proof" | "no-proof";
  readonly close: () => Promise<void>;
};

type Proved = { records?: { key: string; value: string | null; proof: string }[] };

/** Stands before the node at `target`; `picks` chooses records by their key in hex. */
export async function tamperingProxy(
  target: string,
  picks: (key: string) => boolean,
): Promise<Tamper> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    try {
      const reply = await fetch(target, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      const text = await reply.text();
      response.writeHead(reply.status, { "content-type": "application/json" });
      response.end(tamper.mode === "honest" ? text : lie(text, tamper.mode, picks));
    } catch {
      response.destroy();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const tamper: Tamper = {
    url: `http://127.0.0.1:${port}`,
    mode: "honest",
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return tamper;
}

function lie(text: string, mode: Tamper["mode"], picks: (key: string) => boolean): string {
  const reply = JSON.parse(text) as { result?: Proved };
  for (const record of reply.result?.records ?? []) {
    if (!picks(record.key) || record.value === null) continue;
    if (mode === "no-proof") record.proof = "";
    else record.value = flipped(record.value);
  }
  return JSON.stringify(reply);
}

/** One bit of the last byte: a plan that the ledger never wrote. */
function flipped(hex: string): string {
  const last = (Number.parseInt(hex.slice(-2), 16) ^ 1).toString(16).padStart(2, "0");
  return hex.slice(0, -2) + last;
}
