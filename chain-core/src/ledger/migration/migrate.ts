// migrate: a balance of the older chain comes to life on the ledger. Anybody brings any row with its path, and pays for
// that; the row says who gets it, so that a holder without a coin needs nobody's permission, only somebody's fee.
import { bigEndian, ContainerType, codec, H, rejected, u128 } from "@causeway/primitives";
import type { Migrate } from "../../codec/action.ts";
import { kinds, migrateCodec } from "../../codec/action.ts";
import { btm, formatAsset, formatLock, isLock } from "../assets.ts";
import { moveEconomy } from "../economy.ts";
import type { Rule } from "../rule.ts";
import type { State, StateReader, Table } from "../state.ts";
import { byNumber, modules, table } from "../state.ts";
import { addOutput } from "../utxo/outputs.ts";
import { verifyRow } from "./merkle.ts";

export type MigrateCode =
  /** Nothing migrates to this network. */
  | "no-migration"
  /** Not that row of the snapshot. */
  | "not-in-snapshot"
  /** The row was brought before. */
  | "already-migrated"
  /** Nobody could spend it. */
  | "bad-lock";

/** Which rows were brought: bit i of record k is row 128 k + i. */
const brought: Table<number, { bits: bigint }> = table(
  modules.system,
  19,
  byNumber,
  codec("migrated rows", new ContainerType({ bits: u128 }), 16),
);

/** Whether row `index` of the snapshot is on the ledger already. */
export function isMigrated(state: StateReader, index: number): boolean {
  const bits = brought.get(state, Math.floor(index / 128))?.bits ?? 0n;
  return ((bits >> BigInt(index % 128)) & 1n) === 1n;
}

function mark(state: State, index: number): void {
  const record = Math.floor(index / 128);
  const bits = brought.get(state, record)?.bits ?? 0n;
  brought.put(state, record, { bits: bits | (1n << BigInt(index % 128)) });
}

export const migrateRule: Rule<Migrate> = {
  kind: kinds.migrate,
  codec: migrateCodec,
  carriers: "user",
  // An output and a bit.
  growth: 400,
  balance: () => [],
  validate: ({ state, genesis }, { lock, amount, index, path }) => {
    const { root, rows } = genesis.migration;
    if (rows === 0)
      return rejected<MigrateCode>("no-migration", "nothing migrates to this network");
    if (!isLock(lock) || amount === 0n)
      return rejected<MigrateCode>("bad-lock", "nobody could spend this row");
    if (isMigrated(state, index))
      return rejected<MigrateCode>("already-migrated", `row ${index} is on the ledger`);
    if (!verifyRow({ lock, amount }, { index, count: rows, path }, root))
      return rejected<MigrateCode>("not-in-snapshot", `this is not row ${index} of the snapshot`);
    return undefined;
  },
  apply: ({ state, genesis }, { lock, amount, index }) => {
    mark(state, index);
    moveEconomy(state, { unclaimed: -amount });
    const txid = H("migrated", genesis.networkId, bigEndian(index, 4));
    addOutput(state, { txid, index: 0 }, { asset: btm(genesis), amount, lock }, true);
  },
  describe: (genesis, { lock, amount }) =>
    `Bring ${formatAsset(genesis, btm(genesis), amount)} of the older chain to ${formatLock(lock)}`,
};
