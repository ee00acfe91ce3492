// The deposit requests that this relay watches, on its own disk: a restart must not lose an address that somebody
// paid to (the gossip of requests is a convenience, WIT-1).
import type { DepositRequest } from "@causeway/chain-core/interchain";
import { depositRequestCodec } from "@causeway/chain-core/interchain";
import { isRejected, keyOf, sha256 } from "@causeway/primitives";
import { openJournal } from "@causeway/primitives/adapters/journal";

/** As many as the watcher keeps; about 150 bytes each. */
const requestsMax = 100_000;

export type RequestStore = {
  /** Those that have not expired, oldest first. */
  readonly all: () => DepositRequest[];
  /** The request, durable, if it is a new one; undefined for one that is known or malformed. */
  readonly add: (bytes: Uint8Array) => DepositRequest | undefined;
  readonly close: () => void;
};

/** `nowMs` drops what expired before it. Throws Failure as openJournal does. */
export function openRequestStore(path: string, nowMs: number): RequestStore {
  const journal = openJournal(path, { create: true });
  const known = new Map<string, DepositRequest>();
  let total = 0;
  for (const bytes of journal.read()) {
    total += 1;
    const request = depositRequestCodec.parse(bytes);
    if (!isRejected(request) && request.expires > nowMs) known.set(keyOf(sha256(bytes)), request);
  }
  if (total > 2 * known.size + 100)
    journal.rewrite([...known.values()].map(depositRequestCodec.encode));
  return {
    all: () => [...known.values()],
    add: (bytes) => {
      const name = keyOf(sha256(bytes));
      if (known.has(name)) return undefined;
      const request = depositRequestCodec.parse(bytes);
      if (isRejected(request)) return undefined;
      journal.append(bytes);
      const [oldest] = known.size >= requestsMax ? known.keys() : [];
      if (oldest !== undefined) known.delete(oldest);
      known.set(name, request);
      return request;
    },
    close: journal.close,
  };
}
