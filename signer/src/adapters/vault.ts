// The runtime of the machine inside the worker: one event, one step, its durable effects performed here, the rest
// handed out in order. Secrets, shares, nonces and the journal never leave this thread.
import { createBls } from "@causeway/chain-core/adapters/bls";
import { parseGenesis } from "@causeway/chain-core/light";
import type { Journal } from "@causeway/primitives";
import { Failure, isRejected } from "@causeway/primitives";
import { systemClock } from "@causeway/primitives/adapters/clock";
import { systemEntropy } from "@causeway/primitives/adapters/entropy";
import { readKeyFile } from "@causeway/primitives/adapters/key-file";
import { publicPoint, randomizeContext } from "@causeway/primitives/secp256k1";
import { compacted } from "../journal.ts";
import * as machine from "../machine.ts";
import { hostKeysOf } from "../world.ts";
import { eraseOlderHost } from "./older-hosts.ts";
import { openSeat, sharesOf } from "./seat-folder.ts";
import type { ShareVault } from "./share-vault.ts";
import { shareVault } from "./share-vault.ts";

export type VaultOptions = {
  /** The two genesis files' bytes. */
  readonly body: Uint8Array;
  readonly proofs: Uint8Array;
  readonly dataFolder: string;
  readonly keysFile: string;
  /** log2 of scrypt's N for new share files. */
  readonly logN: number;
};

/** What the main thread performs: everything but what is durable. */
export type Outside = Exclude<machine.Effect, { kind: Durable }>;
type Durable = "journal" | "save-share" | "erase-share" | "erase-host";

export type Vault = {
  /** Secret of the libp2p identity: the one secret that the main thread gets. */
  readonly peer: Uint8Array;
  /** What the machine ordered at its start. */
  readonly first: readonly Outside[];
  readonly handle: (event: machine.Event) => readonly Outside[];
  readonly summary: () => machine.Summary;
  readonly close: () => void;
};

/** Of the key file (SEAMS), hex but for the passphrase. */
export const keyFields = {
  attest: "required",
  host: "required",
  olderHosts: "list",
  peer: "required",
  passphrase: "text",
} as const;

/** Throws Failure: "bad-genesis", "bad-keys", or those of the journal and the share files. */
export function openVault(options: VaultOptions): Vault {
  const { body, proofs, dataFolder, keysFile, logN } = options;
  const bls = createBls();
  const genesis = parseGenesis(body, proofs, bls);
  if (isRejected(genesis)) throw new Failure("bad-genesis", genesis.message);
  const secrets = readKeyFile(keysFile, keyFields);
  randomizeContext(systemEntropy(32));
  const journal = openSeat(dataFolder);
  const { passphrase } = secrets;
  const folder = sharesOf(dataFolder);
  const network = genesis.networkId;
  const entropy = systemEntropy;
  const shares = shareVault({ folder, passphrase, network, logN, entropy });
  const context = {
    genesis,
    bls,
    attestSecret: secrets.attest,
    hosts: hostKeysOf([secrets.host, ...secrets.olderHosts]),
    peerKey: publicPoint(secrets.peer),
  };
  return run(context, { peer: secrets.peer, keysFile }, journal, shares);
}

/**
 * Performs what is durable, in order, and gives out the rest only when all of it is on the disk: of a step whose write
 * fails nothing leaves, and the thread ends (DESIGN 10, rule 5).
 */
export function settled(
  effects: readonly machine.Effect[],
  on: {
    readonly journal: Pick<Journal, "append">;
    readonly shares: Pick<ShareVault, "save" | "erase">;
    readonly keysFile: string;
  },
): Outside[] {
  const outside: Outside[] = [];
  for (const effect of effects)
    if (effect.kind === "journal") on.journal.append(effect.record);
    else if (effect.kind === "save-share") on.shares.save(effect, effect.packageHash);
    else if (effect.kind === "erase-share") on.shares.erase(effect);
    else if (effect.kind === "erase-host") eraseOlderHost(on.keysFile, effect.point);
    else outside.push(effect);
  return outside;
}

function run(
  context: machine.Context,
  { peer, keysFile }: { readonly peer: Uint8Array; readonly keysFile: string },
  journal: Journal,
  shares: ShareVault,
): Vault {
  let state = machine.initial(context);
  const handle = (event: machine.Event): Outside[] => {
    const input = { nowMs: systemClock.nowMs(), entropy: systemEntropy(32), event };
    const [next, effects] = machine.step(context, state, input);
    state = next;
    return settled(effects, { journal, shares, keysFile });
  };
  const records = compacted([...journal.read()]);
  journal.rewrite(records);
  const first = handle({ kind: "started", journal: records, shares: shares.load() });
  return {
    peer,
    first,
    handle,
    summary: () => machine.summaryOf(state),
    close: () => journal.close(),
  };
}
