// For tests and simulations only: a tiny ledger behind the node's port, and transactions for it. Every
// transaction spends outputs by name; the one module of its state counts them.
import type { Bytes32, NetworkId, Put } from "@causeway/primitives";
import {
  assert,
  bigEndian,
  concat,
  equal,
  fromBigEndian,
  isRejected,
  rejected,
  zero32,
} from "@causeway/primitives";
import { kinds, spendCodec } from "../codec/action.ts";
import type { Committee } from "../codec/block.ts";
import type { Envelope } from "../codec/transaction.ts";
import { transactionCodec, transactionId } from "../codec/transaction.ts";
import type { StateReader } from "../ledger/state.ts";
import { modules } from "../ledger/state.ts";
import { emptyTree, root, update } from "../ledger/tree.ts";
import { devnetParams } from "../params/devnet.ts";
import type { Checked, Frame, LedgerPort } from "./port.ts";

const heightKey = Uint8Array.of(modules.system, 2);
const countKey = Uint8Array.of(modules.system, 1);
const feePerTransaction = 1_000n;

function spentKey(txid: Uint8Array, index: number): Uint8Array {
  return concat(Uint8Array.of(modules.utxo), txid, bigEndian(index, 4));
}

export type TestTransaction = {
  readonly spends: Uint8Array;
  readonly index?: number;
  readonly expires: number;
  readonly envelope?: Envelope;
  readonly padding?: number;
};

/** A transaction that spends output `index` of `spends`; `padding` bytes more. */
export function testTransaction(of: TestTransaction): Uint8Array {
  const body = spendCodec.encode({ inputs: [{ txid: of.spends, index: of.index ?? 0 }] });
  const witnesses: Uint8Array[] = [];
  for (let left = of.padding ?? 0; left > 0; left -= 1024)
    witnesses.push(new Uint8Array(Math.min(left, 1024)));
  return transactionCodec.encode({
    envelope: of.envelope ? [of.envelope] : [],
    expires: of.expires,
    actions: [{ kind: kinds.spend, body }],
    witnesses,
  });
}

function heightIn(reader: StateReader): number {
  const bytes = reader.get(heightKey);
  return bytes === undefined ? 0 : Number(fromBigEndian(bytes));
}

/** What a frame says of who decides a height. */
export type Deciders = Pick<Frame, "committee" | "nextCommittee" | "barred">;

/** `inner`, with other deciders at each height (CON-3). */
export function changingLedger(inner: LedgerPort, at: (height: number) => Deciders): LedgerPort {
  return {
    ...inner,
    frame: (reader) => {
      const deciders = at(heightIn(reader) + 1);
      return { ...inner.frame(reader), epoch: deciders.committee.epoch, ...deciders };
    },
    apply: (reader, tree, block) => {
      const applied = inner.apply(reader, tree, block);
      if (isRejected(applied)) return applied;
      const put = { key: heightKey, value: bigEndian(block.header.height, 4) };
      return { ...applied, puts: [...applied.puts, put], tree: update(applied.tree, [put]) };
    },
  };
}

/**
 * An output of index `poison` makes the ledger throw when it is applied, `trap` when it is checked; `changes`
 * sets Applied.changed.
 */
export function testLedger(
  network: NetworkId,
  committee: Committee,
  options: { readonly poison?: number; readonly trap?: number; readonly changes?: number } = {},
): LedgerPort {
  const check = (
    reader: StateReader,
    time: number,
    bytes: Uint8Array,
  ): (Checked & { key: Uint8Array; index: number }) | ReturnType<typeof rejected> => {
    const tx = transactionCodec.parse(bytes);
    if (isRejected(tx)) return tx;
    const spend = spendCodec.parse(tx.actions[0]?.body ?? new Uint8Array(0));
    if (isRejected(spend)) return spend;
    const [input] = spend.inputs;
    if (input === undefined) return rejected("no-inputs", "nothing spent");
    assert(input.index !== options.trap, "trap");
    const key = spentKey(input.txid, input.index);
    if (reader.get(key) !== undefined) return rejected("missing-output", "spent already");
    if (tx.expires < time) return rejected("expired", `expired at ${tx.expires}`);
    const id: Bytes32 = transactionId(network, tx);
    const fee = tx.envelope.length > 0 ? 0n : feePerTransaction + BigInt(input.index);
    return { id, tx, weight: bytes.length, fee, key, index: input.index };
  };
  return {
    genesis: () => ({ puts: [], tree: emptyTree }),
    root,
    openVotes: () => [],
    frame: () => ({
      version: 1,
      params: devnetParams,
      epoch: 0,
      epochEndsAt: Number.MAX_SAFE_INTEGER,
      committee,
      nextCommittee: { ...committee, epoch: 1 },
      barred: [],
      utxoCommitment: zero32,
    }),
    check: (reader, { time }, bytes) => check(reader, time, bytes),
    build: (reader, _tree, { time }, candidates) => {
      const spent = new Set<string>();
      let size = 0;
      const transactions = candidates.filter((bytes) => {
        const checked = check(reader, time, bytes);
        if (isRejected(checked) || spent.has(checked.key.join())) return false;
        size += bytes.length + 4;
        spent.add(checked.key.join());
        return size < 2_000_000;
      });
      return { transactions };
    },
    apply: (reader, tree, { header, transactions }) => {
      if (!equal(header.stateRoot, root(tree))) return rejected("bad-header", "state root");
      const puts: Put[] = [];
      const receipts: { id: Uint8Array; bytes: Uint8Array }[] = [];
      let changed = false;
      for (const bytes of transactions) {
        const checked = check(reader, header.time, bytes);
        if (isRejected(checked)) return checked;
        assert(checked.index !== options.poison, "poison");
        changed ||= checked.index === options.changes;
        if (puts.some((put) => equal(put.key, checked.key)))
          return rejected("missing-output", "twice in a block");
        puts.push({ key: checked.key, value: Uint8Array.of(1) });
        receipts.push({ id: checked.id, bytes });
      }
      const before = reader.get(countKey);
      const count = (before?.[0] ?? 0) + 256 * (before?.[1] ?? 0) + transactions.length;
      if (transactions.length > 0)
        puts.push({ key: countKey, value: Uint8Array.of(count & 0xff, (count >> 8) & 0xff) });
      return { puts, tree: update(tree, puts), changed, hurried: false, receipts };
    },
  };
}
