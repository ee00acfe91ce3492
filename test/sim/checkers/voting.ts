// What may leave a validator: at most one vote of a kind and one proposal a round, each of them in its journal before
// (CON-1).
import { equal, isRejected, keyOf, must } from "@causeway/primitives";
import { blockCodec, headerCodec } from "../../../chain-core/src/codec/block.ts";
import { parseRecord } from "../../../chain-core/src/consensus/journal.ts";
import { proposerOf } from "../../../chain-core/src/consensus/proposer.ts";
import { knownCommittee } from "../../../chain-core/src/ledger/epoch/epochs.ts";
import { parseMessage } from "../../../chain-core/src/node/message.ts";
import { violated } from "../../seeds/violation.ts";
import { readerOf } from "../ledger.ts";
import type { Operator, World } from "../model.ts";

/** Records looked through for something that was just said: a step writes one. */
const recent = 12;

/** Before a node's message leaves. */
export function checkSaid(world: World, operator: Operator, bytes: Uint8Array): void {
  const { seat, node } = operator;
  // Proposals, votes and compact proposals; the others are nobody's word.
  if (![1, 2, 8].includes(bytes[0] ?? 0)) return;
  const own = world.checks.seats[seat];
  const message = parseMessage(bytes);
  if (own === undefined || isRejected(message)) return;
  const say = (name: string, content: string, signature: Uint8Array): void => {
    const before = own.said.get(name);
    if (before === content) return;
    if (before !== undefined) violated("nobody votes twice", `node ${seat} at ${name}`);
    own.said.set(name, content);
    if (!isJournaled(node.disk.journal, signature))
      violated("journal before release", `node ${seat} at ${name}`);
  };
  if (message.kind === "votes") {
    for (const { kind, height, round, block, polRound, seat: of, signature } of message.votes)
      if (of === seatAt(world, operator, height))
        say(
          `height ${height}, round ${round}, vote ${kind}`,
          `${keyOf(block)}:${polRound}`,
          signature,
        );
  } else if (message.kind === "proposal" || message.kind === "compact") {
    const said = message.kind === "proposal" ? message.proposal : message.compact;
    const { height, round, polRound, signature } = said;
    const { header } = blockCodec.decode("block" in said ? said.block : said.head);
    // Others pass proposals on; their proposer is whose turn it was.
    if (proposerOf(world.operators.length, height, round) === seatAt(world, operator, height))
      say(
        `height ${height}, round ${round}, proposal`,
        `${keyOf(headerCodec.encode(header))}:${polRound}`,
        signature,
      );
  }
}

function isJournaled(journal: readonly Uint8Array[], signature: Uint8Array): boolean {
  for (const record of journal.slice(-recent).reverse()) {
    const entries = parseRecord(record);
    if (isRejected(entries)) continue;
    for (const entry of entries) {
      if (entry.kind === "vote" && equal(entry.vote.signature, signature)) return true;
      if (entry.kind === "proposal" && equal(entry.proposal.signature, signature)) return true;
    }
  }
  return false;
}

/** In the committee of the height: the beacon orders it. */
function seatAt(world: World, { seat, node }: Operator, height: number): number {
  const { seatAt: known } = must(world.checks.seats[seat], "checks");
  const before = known.get(height);
  if (before !== undefined) return before;
  const owner = must(world.genesis.validators[seat], "validator").owner;
  const committee = knownCommittee(readerOf(node.disk), height);
  const found = committee?.members.findIndex(({ validator }) => equal(validator, owner)) ?? -1;
  if (height <= node.disk.blocks.length + 1) known.set(height, found);
  return found;
}
