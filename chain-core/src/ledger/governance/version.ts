// Which version of the rules the next block follows (FMT-7, GOV-1). It is a record of the state: an upgrade changes
// it with the last block of an epoch, so that every node knows before the first block of the next.
import type { Rejected } from "@causeway/primitives";
import { ContainerType, codec, equal, rejected, u16, u64 } from "@causeway/primitives";
import type { State, StateReader, Table } from "../state.ts";
import { modules, single, table } from "../state.ts";

/** The version of block 1 of every network. */
export const genesisVersion = 1;
/** The newest version whose rules this code has. */
export const supportedVersion = 1;

/** `next` begins with `epoch`; 0 when none is scheduled. Absent: {@link genesisVersion}, none scheduled. */
export type ProtocolVersion = { current: number; next: number; epoch: number };
export const protocolVersions: Table<"only", ProtocolVersion> = table(
  modules.system,
  12,
  single,
  codec("protocol version", new ContainerType({ current: u16, next: u16, epoch: u64 }), 16),
);

const atGenesis: ProtocolVersion = { current: genesisVersion, next: 0, epoch: 0 };
/** The newest record that was read: the same for every transaction of months. */
let newest: { readonly bytes: Uint8Array; readonly version: ProtocolVersion } | undefined;

export function protocolVersion(state: StateReader): ProtocolVersion {
  const bytes = state.get(protocolVersions.key("only"));
  if (bytes === undefined) return atGenesis;
  if (newest === undefined || !equal(newest.bytes, bytes))
    newest = { bytes, version: protocolVersions.codec.decode(bytes) };
  return newest.version;
}

/** The version of the block after this state. */
export function versionOf(state: StateReader): number {
  return protocolVersion(state).current;
}

/** The version of `epoch`, of which the next block is the first. */
export function turnVersion(state: State, epoch: number): void {
  const { next, epoch: from } = protocolVersion(state);
  if (next === 0 || epoch < from) return;
  protocolVersions.put(state, "only", { current: next, next: 0, epoch: 0 });
}

export type UpgradeNeeded = Rejected<"upgrade-needed">;

/** Why code that knows versions up to `supported` stops before a block of `version`, or undefined. */
export function upgradeNeeded(version: number, supported: number): UpgradeNeeded | undefined {
  if (version <= supported) return undefined;
  return rejected(
    "upgrade-needed",
    `the ledger goes on with protocol version ${version}, this program knows versions up to ${supported}: install a newer one and start it again, the data stay as they are`,
  );
}
