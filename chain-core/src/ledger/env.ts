// What the ledger needs besides state: the genesis, BLS, and a memory of what was verified, so that a node
// verifies each signature once although a transaction is checked, built into a block and applied.
import type { Bls } from "@causeway/primitives";
import { bigEndian, concat, keyOf, sha256 } from "@causeway/primitives";
import type { Verdict } from "../beacon/contribution.ts";
import type { Genesis } from "./genesis.ts";
import type { Parsed, ParsedMemory } from "./parsed.ts";
import { parsedMax } from "./parsed.ts";
import { recentMap } from "./recent.ts";
import type { Protocol } from "./versions.ts";
import { knownProtocol } from "./versions.ts";

/**
 * Bounded memory of what was found true: `of` names what was judged, `how` all else that the judgement hangs on. It only
 * saves time: a forgotten entry is verified again.
 */
export type Verified = {
  readonly has: (of: string, how: string) => boolean;
  readonly add: (of: string, how: string) => void;
  /** It was found true once, however. */
  readonly knows: (of: string) => boolean;
};

/** A user's transaction and the records of what it spends, in order; `of` as the ledger names it. */
export type Job = {
  readonly of: string;
  readonly bytes: Uint8Array;
  readonly records: readonly Uint8Array[];
};

/**
 * Threads that verify the signatures of transactions while the ledger is at others (`proofOfOwners` of each). What they
 * find is what the ledger would, so that nobody sees whether they are there.
 */
export type Helpers = {
  /** Jobs in the order in which the ledger will come to them; the helpers begin at the end. Some may be left out. */
  readonly give: (genesis: Genesis, jobs: readonly Job[]) => void;
  /** The ledger did it itself. */
  readonly done: (of: string) => void;
  /** What was found good since the last call. */
  readonly take: () => readonly (readonly [of: string, how: string])[];
};

export type LedgerEnv = {
  readonly genesis: Genesis;
  readonly bls: Bls;
  /** The versions that this node knows: what the composition gives it. */
  readonly protocol: Protocol;
  readonly verified?: Verified;
  readonly parsed?: ParsedMemory;
  readonly helpers?: Helpers;
  readonly verdicts?: Verdicts;
};

/** Verdicts on what takes long to judge, by the hex of its id: a thread may have put them there before. */
export type Verdicts = {
  readonly get: (id: string) => Verdict | undefined;
  readonly set: (id: string, verdict: Verdict) => void;
};

/** Remembers the newest entries, at most `sizeMax`, and what the helpers find. */
function verifiedMemory(sizeMax: number, helpers?: Helpers): Verified {
  const memory = recentMap<string>(sizeMax);
  return {
    has: (of, how) => {
      if (memory.get(of) === how) return true;
      for (const [name, value] of helpers?.take() ?? []) memory.set(name, value);
      return memory.get(of) === how;
    },
    add: (of, how) => {
      memory.set(of, how);
      helpers?.done(of);
    },
    knows: (of) => memory.get(of) !== undefined,
  };
}

/**
 * The same port, which checks nothing good twice: a pairing costs 0.7 ms, a hash 3 us. Else whoever puts one good
 * registration into ever new transactions that fail after it has each node verify it each time.
 */
function rememberingBls(bls: Bls, verified: Verified): Bls {
  const remembered = (how: string, parts: readonly Uint8Array[], find: () => boolean): boolean => {
    const sizes = parts.map((part) => bigEndian(part.length, 4));
    const key = keyOf(sha256(concat(...sizes, ...parts)));
    if (verified.has(key, how)) return true;
    const isTrue = find();
    if (isTrue) verified.add(key, how);
    return isTrue;
  };
  return {
    ...bls,
    verify: (...args) => remembered("bls-one", args, () => bls.verify(...args)),
    verifyAggregate: (publicKeys, message, signature) =>
      remembered("bls", [...publicKeys, signature, message], () =>
        bls.verifyAggregate(publicKeys, message, signature),
      ),
  };
}

/** What a node makes once and hands to check, build and apply. About 300 bytes an entry of 65,536. */
export function ledgerEnv(
  genesis: Genesis,
  bls: Bls,
  protocol: Protocol = knownProtocol,
  helpers?: Helpers,
): LedgerEnv {
  const verified = verifiedMemory(65_536, helpers);
  const parsed = recentMap<Parsed>(parsedMax);
  const verdicts = recentMap<Verdict>(1_024);
  const remembering = rememberingBls(bls, verified);
  const own = { genesis, bls: remembering, protocol, verified, parsed, verdicts };
  return helpers === undefined ? own : { ...own, helpers };
}
