// The one ledger that all operators share: the real rules on a state in memory, final at once. Envelopes execute as they
// arrive, into the block that is being made; a header commits to the state before its block, as the real one does.
import type { Committee, Genesis, Header, State } from "@causeway/chain-core/interchain";
import { blockId, committeeCodec, headerCodec } from "@causeway/chain-core/interchain";
import { trustGenesis } from "@causeway/chain-core/light";
import type { Bls, Put, Rejected } from "@causeway/primitives";
import { isRejected, keyOf } from "@causeway/primitives";
import { blockContext } from "../../chain-core/src/ledger/context.ts";
import { endBlock } from "../../chain-core/src/ledger/end-block.ts";
import type { LedgerEnv } from "../../chain-core/src/ledger/env.ts";
import { ledgerEnv } from "../../chain-core/src/ledger/env.ts";
import { executeTransaction } from "../../chain-core/src/ledger/execute.ts";
import { genesisState } from "../../chain-core/src/ledger/genesis-state.ts";
import { memoryState } from "../../chain-core/src/ledger/memory-state.ts";
import type { Overlay } from "../../chain-core/src/ledger/overlay.ts";
import { overlay } from "../../chain-core/src/ledger/overlay.ts";
import type { BlockContext } from "../../chain-core/src/ledger/rule.ts";
import { testGenesis, validatorSecret } from "../../chain-core/src/ledger/testing.ts";
import type { Tree } from "../../chain-core/src/ledger/tree.ts";
import {
  emptyTree,
  prove,
  recordProofCodec,
  root,
  update,
} from "../../chain-core/src/ledger/tree.ts";
import type { ProvedRecord } from "../../signer/src/machine.ts";
import { certificateFor, headerOf } from "../../signer/src/testing/ledger.ts";

/** A final block as a node serves it, with proofs under its state root. */
export type Head = {
  readonly height: number;
  readonly header: Uint8Array;
  readonly certificate: Uint8Array;
  readonly committee: Uint8Array;
  readonly prove: (key: Uint8Array) => ProvedRecord;
};

export type Ledger = {
  readonly env: LedgerEnv;
  readonly genesis: Genesis;
  /** The newest state, with what the block that is being made has so far. */
  readonly state: () => State;
  readonly head: () => Head | undefined;
  /** True while the next block should not wait for the heartbeat (CON-1). */
  readonly isBusy: () => boolean;
  /** Undefined: it is in the block that is being made. */
  readonly submit: (bytes: Uint8Array, nowMs: number) => Rejected | undefined;
  readonly block: (nowMs: number) => Head;
  /** Changes the state as the block that is being made would. */
  readonly write: (nowMs: number, change: (block: BlockContext) => void) => void;
};

type Plain = { readonly genesis: Genesis; readonly puts: readonly Put[]; readonly tree: Tree };
/** By size: making and writing a genesis costs more than a seed. */
const plains = new Map<number, Plain>();

/** With the keys of `bls`, which is a table. */
function plainOf(size: number, bls: Bls): Plain {
  const known = plains.get(size);
  if (known !== undefined) return known;
  const plain = testGenesis(size);
  const validators = plain.validators.map((validator, seat) => ({
    ...validator,
    consensusKey: bls.publicKey(validatorSecret(seat, "consensusKey")),
    attestKey: bls.publicKey(validatorSecret(seat, "attestKey")),
  }));
  const genesis: Genesis = { ...plain, validators };
  const puts = [...genesisState(genesis)];
  const made = { genesis, puts, tree: update(emptyTree, puts) };
  plains.set(size, made);
  return made;
}

export function createLedger(size: number, bls: Bls): Ledger {
  const { genesis, puts, tree: genesisTree } = plainOf(size, bls);
  const env = ledgerEnv(genesis, bls);
  const { committee, id } = trustGenesis(genesis);
  const state = memoryState(puts);
  let tree = genesisTree;
  let parent: Uint8Array = id;
  let height = 0;
  let head: Head | undefined;
  let waiting: Uint8Array[] = [];
  let isBusy = true;
  let open: Overlay = overlay(state);
  const context = (nowMs: number): BlockContext =>
    blockContext(env, open, { height: height + 1, time: nowMs });
  return {
    env,
    genesis,
    state: () => open,
    head: () => head,
    isBusy: () => isBusy,
    submit: (bytes, nowMs) => {
      const result = executeTransaction(env, context(nowMs), bytes);
      if (isRejected(result)) return result;
      waiting.push(bytes);
      isBusy = true;
      return undefined;
    },
    write: (nowMs, change) => {
      // A ledger plans when a block ends, so that no key activates after it at the same time; here both come as they do.
      change(context(nowMs - 1));
      isBusy = true;
    },
    block: (nowMs) => {
      const isMoved = waiting.length > 0 || open.changes().size > 0;
      const { hurried } = endBlock(context(nowMs), 0);
      height += 1;
      const at = { height, time: nowMs, parent, stateRoot: root(tree) };
      const header = headerOf(genesis, committee, at, waiting);
      parent = blockId(genesis.networkId, header);
      head = headOf(genesis, bls, committee, header, parent, {
        tree,
        state: memoryState(state.entries()),
      });
      const changes = [...open.changes().values()];
      state.write(changes);
      tree = update(tree, changes);
      open = overlay(state);
      waiting = [];
      isBusy = hurried || isMoved;
      return head;
    },
  };
}

function headOf(
  genesis: Genesis,
  bls: Bls,
  committee: Committee,
  header: Header,
  block: Uint8Array,
  proven: { readonly tree: Tree; readonly state: State },
): Head {
  // Operators ask for the same records.
  const proofs = new Map<string, ProvedRecord>();
  return {
    height: header.height,
    header: headerCodec.encode(header),
    certificate: certificateFor(genesis, bls, committee, header, block),
    committee: committeeCodec.encode(committee),
    prove: (key) => {
      const name = keyOf(key);
      const known = proofs.get(name);
      if (known !== undefined) return known;
      const value = proven.state.get(key);
      const proof = recordProofCodec.encode(prove(proven.tree, key));
      const record = { key, proof, ...(value === undefined ? {} : { value }) };
      proofs.set(name, record);
      return record;
    },
  };
}
