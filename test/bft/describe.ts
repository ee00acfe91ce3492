// A message as a line of the trace.
import { isRejected, keyOf } from "@causeway/primitives";
import type { Vote } from "../../chain-core/src/codec/block.ts";
import { blockCodec, voteKinds } from "../../chain-core/src/codec/block.ts";
import { parseMessage } from "../../chain-core/src/node/message.ts";

function voteText({ kind, height, round, block, polRound, seat }: Vote): string {
  const name = kind === voteKinds.prevote ? "prevote" : "precommit";
  return `${name} ${height}/${round} seat ${seat} ${keyOf(block).slice(0, 6)} pol ${polRound}`;
}

export function describe(bytes: Uint8Array): string {
  const message = parseMessage(bytes);
  if (isRejected(message)) return `rubbish of ${bytes.length} bytes`;
  if (message.kind === "votes") return message.votes.map(voteText).join("; ");
  if (message.kind === "proposal") {
    const { height, round, polRound, block } = message.proposal;
    const parsed = blockCodec.parse(block);
    const what = isRejected(parsed) ? "rubbish" : `time ${parsed.header.time}`;
    return `proposal ${height}/${round} pol ${polRound} ${what}`;
  }
  if (message.kind === "compact") {
    const { height, round, polRound, hashes, fresh } = message.compact;
    return `compact ${height}/${round} pol ${polRound} ${hashes.length / 32} (${fresh.length})`;
  }
  if (message.kind === "status") return `status ${message.status.height}/${message.status.round}`;
  return message.kind;
}
