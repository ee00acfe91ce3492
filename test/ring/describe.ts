// A message or a transaction as a line of the trace.
import { kinds, transactionCodec } from "@causeway/chain-core/interchain";
import { isRejected, keyOf } from "@causeway/primitives";
import { commitCodec, sessionOpenCodec, shareCodec } from "../../signer/src/roast/message.ts";
import { messageKinds, open } from "../../signer/src/wire.ts";

const names = new Map<number, string>(Object.entries(kinds).map(([name, kind]) => [kind, name]));
const short = (bytes: Uint8Array): string => keyOf(bytes).slice(0, 6);

export function describe(bytes: Uint8Array): string {
  const seat = (bytes[2] ?? 0) + 256 * (bytes[3] ?? 0);
  const envelope = open(seat, bytes);
  if (isRejected(envelope)) return describeTransaction(bytes);
  const { body } = envelope;
  if (envelope.kind === messageKinds.commit) {
    const commit = commitCodec.parse(body);
    if (isRejected(commit)) return "bad commit";
    const { keyId, attempt, request, coordinator, boot } = commit;
    return `commit ${keyId}/${attempt} ${short(request)} to ${coordinator} seat ${commit.seat} boot ${boot}`;
  }
  if (envelope.kind === messageKinds.open) {
    const opening = sessionOpenCodec.parse(body);
    if (isRejected(opening)) return "bad opening";
    const { keyId, attempt, request, coordinator, number, signers } = opening;
    const seats = signers.map((one) => one.seat).join();
    return `open ${keyId}/${attempt} ${short(request)} of ${coordinator} #${number} [${seats}]`;
  }
  if (envelope.kind !== messageKinds.share) return `message of kind ${envelope.kind}`;
  const share = shareCodec.parse(body);
  if (isRejected(share)) return "bad share";
  const { keyId, attempt, request, coordinator, sid } = share;
  return `share ${keyId}/${attempt} ${short(request)} to ${coordinator} seat ${share.seat} sid ${short(sid)}`;
}

function describeTransaction(bytes: Uint8Array): string {
  const tx = transactionCodec.parse(bytes);
  if (isRejected(tx)) return `rubbish of ${bytes.length} bytes`;
  const [envelope] = tx.envelope;
  const actions = tx.actions.map(({ kind }) => names.get(kind) ?? kind).join();
  return `${actions} #${envelope?.sequence ?? "-"}`;
}
