// What the ledger keeps of complaints (RNG-3, RNG-5): the evidence, with the deal that it is about, of who was punished.
import { ByteListType, bigEndian, ContainerType, codec, concat } from "@causeway/primitives";
import type { Ceremony } from "../../ring/records.ts";
import { badShares } from "../../ring/records.ts";
import type { State, Table } from "../state.ts";
import { modules, table } from "../state.ts";

type Complained = { complaint: Uint8Array };
const complaintRecord = codec<Complained>(
  "complaint record",
  new ContainerType({ complaint: new ByteListType(128) }),
  160,
);

/** The bytes of the first complaint about a dealer that was true, by key, attempt and dealer. */
export const complaints: Table<{ keyId: number; attempt: number; dealer: number }, Complained> =
  table(
    modules.ring,
    6,
    ({ keyId, attempt, dealer }) =>
      concat(bigEndian(keyId, 4), bigEndian(attempt, 4), bigEndian(dealer, 2)),
    complaintRecord,
  );

/** The bytes of the first complaint of a seat that was false, by key, attempt and complainer. */
export const lies: Table<{ keyId: number; attempt: number; seat: number }, Complained> = table(
  modules.ring,
  16,
  ({ keyId, attempt, seat }) =>
    concat(bigEndian(keyId, 4), bigEndian(attempt, 4), bigEndian(seat, 2)),
  complaintRecord,
);

/** With the deals of the attempt: who was punished for it and why. */
export function forgetComplaints(state: State, ceremony: Ceremony): void {
  const { keyId, attempt, dealt, seats } = ceremony;
  for (const dealer of dealt) {
    const name = { keyId, attempt, dealer };
    if (complaints.get(state, name) !== undefined) complaints.delete(state, name);
  }
  for (const seat of seats.keys()) {
    const name = { keyId, attempt, seat };
    for (const evidence of [lies, badShares])
      if (evidence.get(state, name) !== undefined) evidence.delete(state, name);
  }
}
