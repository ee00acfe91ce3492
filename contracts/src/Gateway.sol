// SPDX-License-Identifier: MIT
// The house's only door on Ethereum (ETH-1 to ETH-4): takes deposits, runs what the ring signed, and defends
// itself by caps, pauses and a slow recovery. It has no owner and cannot be changed.
//
// What one batch touches is packed so that a single mint stays below 80 k gas: one slot for key, heart-beat,
// pause and the newest nonces, one slot for a token with its cap.
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Bip340} from "./Bip340.sol";
import {GuardianQuorum} from "./GuardianQuorum.sol";
import {
    Batch,
    Destination,
    IGateway,
    IWrappedToken,
    Quorum,
    Signature,
    TokenSetting
} from "./IGateway.sol";
import {Payout} from "./Payout.sol";
import {RingWord, SPAN, TokenWord, WINDOW_MAX, tokenWord} from "./Words.sol";

contract Gateway is IGateway, GuardianQuorum {
    using SafeERC20 for IERC20;

    // SHA-256 of the tags "causeway/eth-<what>/v1" (FMT-1).
    bytes32 private constant BATCH =
        0x8c006709c97467a3eb0f4564a3f534680f914bf6fd029722a61df1ed51a72f0b;
    bytes32 private constant SET_KEY =
        0x25cebf04cf436edf01e46b3087e95ca834d0d414bd8bc38eaae50930c674f4d6;
    bytes32 private constant HEARTBEAT =
        0xfa436665c7bb89d80680c36d04b1647e7b1357016bb0fac14dcf0b38c46d3cbd;
    bytes32 private constant SET_TOKEN =
        0xb0bea58dc75d922e334f4848aa29927220de9aed409e78f181c5bca937d8a818;
    bytes32 private constant SET_PAUSE =
        0x92d852a1441dad8aa5702c103b27ea870e8927ef0846042924fcbb57b29cba70;
    bytes32 private constant MOVE_MINTER =
        0x3a254e407544b3cccfe77296281f605cda20072b700320fb41e0e5016be79ef0;

    uint8 private constant NONE = 0;
    uint8 private constant FOREIGN = 1;
    uint8 private constant WRAPPED = 2;

    uint8 private constant DIRECTION_IN = 1;
    uint8 private constant DIRECTION_OUT = 2;

    /// @dev FMT-8.
    uint256 private constant PAYLOAD_MAX = 128;
    /// @dev ETH-2.
    uint256 private constant ITEMS_MAX = 50;
    uint256 private constant ITEM_SIZE = 57;
    /// @dev GOV-1: what loosens waits.
    uint256 private constant NOTICE = 7 days;
    /// @dev GOV-2.
    uint256 private constant PAUSE = 7 days;
    /// @dev From the start of one pause by guardians to the next, unless the ring allows it before.
    uint256 private constant PAUSE_AGAIN = 14 days;
    /// @dev ETH-3.
    uint256 private constant SILENCE = 60 days;
    uint256 private constant OPEN = 14 days;
    /// @dev What batches do not read.
    struct Rare {
        uint40 inPausedUntil;
        uint40 outPausedUntil;
        uint40 inPauseFrom;
        uint40 outPauseFrom;
        uint64 guardianNonce;
        uint32 keyId;
    }

    struct Announced {
        uint8 status;
        uint104 capacity;
        uint40 dueAt;
    }

    struct Recovery {
        uint32 keyId;
        uint40 proposedAt;
        bytes32 px;
    }

    bytes32 public immutable override networkId;

    RingWord private ring;
    Rare private rare;
    bytes32 private px;
    mapping(uint256 window => uint256) private windows;
    mapping(address token => TokenWord) private tokens;
    mapping(address token => Announced) private announced;
    mapping(uint64 nonce => bytes32) private claims;
    Recovery private recovery;
    /// @dev A whole word: a bool would be read before it is written.
    uint256 private transient locked;

    /// @dev On everything that writes: _pay keeps a token's slot in memory across a foreign call.
    modifier lock() {
        if (locked != 0) revert Locked();
        locked = 1;
        _;
        locked = 0;
    }

    /// @param guardians their addresses in the genesis' order, distinct; `guardianThreshold` of them act.
    /// @param keyId the first activated key and `keyX` its x.
    /// @param settings ETH and tokens; wrapped ones may be addresses that hold no code yet.
    constructor(
        bytes32 network,
        address[] memory guardians,
        uint256 guardianThreshold,
        uint32 keyId,
        bytes32 keyX,
        TokenSetting[] memory settings
    ) GuardianQuorum(guardians, guardianThreshold) {
        networkId = network;
        ring = ring.signed(block.timestamp);
        _installKey(0, keyId, keyX);
        for (uint256 i = 0; i < settings.length; ++i) {
            TokenSetting memory setting = settings[i];
            _checkSetting(setting.token, setting.status);
            _installToken(setting.token, setting.status, setting.capacity);
        }
    }

    // ------------------------------------------------------------------ in

    /// @inheritdoc IGateway
    function deposit(
        address token,
        uint256 amount,
        Destination calldata destination,
        uint256 maxFee
    ) external payable override lock {
        _checkIn(amount, destination, maxFee);
        if (tokens[token].status() != FOREIGN) revert BadToken(token);
        if (token == address(0)) {
            if (msg.value != amount) revert BadAmount();
        } else {
            if (msg.value != 0) revert BadAmount();
            // What arrives counts: some tokens take a fee on the way.
            uint256 before = IERC20(token).balanceOf(address(this));
            IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
            amount = IERC20(token).balanceOf(address(this)) - before;
            if (amount == 0 || amount > type(uint128).max) revert BadAmount();
        }
        emit Deposited(
            token, msg.sender, amount, destination.chain, destination.payload, maxFee
        );
    }

    /// @inheritdoc IGateway
    function burn(
        address token,
        uint256 amount,
        Destination calldata destination,
        uint256 maxFee
    ) external override lock {
        _checkIn(amount, destination, maxFee);
        if (tokens[token].status() != WRAPPED) revert BadToken(token);
        IWrappedToken(token).burn(msg.sender, amount);
        emit Burned(token, msg.sender, amount, destination.chain, destination.payload, maxFee);
    }

    function _checkIn(uint256 amount, Destination calldata destination, uint256 maxFee)
        private
        view
    {
        if (block.timestamp < rare.inPausedUntil) revert Paused(rare.inPausedUntil);
        if (amount == 0 || amount > type(uint128).max || maxFee > type(uint128).max) {
            revert BadAmount();
        }
        uint256 size = destination.payload.length;
        if (size == 0 || size > PAYLOAD_MAX) revert BadDestination();
    }

    // ------------------------------------------------------------------ out

    /// @inheritdoc IGateway
    function execute(Batch calldata batch, Signature calldata signature) external override lock {
        bytes calldata items = batch.items;
        // A stipend of 0 would mean all gas, see _pay.
        if (
            items.length > ITEMS_MAX * ITEM_SIZE || items.length % ITEM_SIZE != 0
                || batch.stipend == 0
        ) revert BadBatch();
        RingWord current = ring;
        if (current.mayBePaused()) _requireNoPause();
        _authorise(current, batch.nonce, _batchDigest(batch, items), signature);
        emit Executed(batch.nonce, batch.keyId, _runItems(batch, items), msg.sender);
    }

    /// @dev _digest(BATCH, abi.encode(chainId, this, keyId, nonce, stipend, overhead, items)), copied once.
    function _batchDigest(Batch calldata batch, bytes calldata items)
        private
        view
        returns (bytes32 digest)
    {
        bytes32 network = networkId;
        uint256 keyId = batch.keyId;
        uint256 nonce = batch.nonce;
        uint256 stipend = batch.stipend;
        uint256 overhead = batch.overhead;
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, BATCH)
            mstore(add(data, 0x20), BATCH)
            mstore(add(data, 0x40), network)
            mstore(add(data, 0x60), chainid())
            mstore(add(data, 0x80), address())
            mstore(add(data, 0xa0), keyId)
            mstore(add(data, 0xc0), nonce)
            mstore(add(data, 0xe0), stipend)
            mstore(add(data, 0x100), overhead)
            mstore(add(data, 0x120), 0xe0)
            mstore(add(data, 0x140), items.length)
            let tail := add(data, 0x160)
            let size := and(add(items.length, 31), not(31))
            // The padding, before the last word is written over it.
            mstore(add(tail, items.length), 0)
            calldatacopy(tail, items.offset, items.length)
            if iszero(staticcall(gas(), 2, data, add(0x160, size), 0, 0x20)) { revert(0, 0) }
            digest := mload(0)
        }
    }

    function _requireNoPause() private view {
        uint40 until = rare.outPausedUntil;
        if (block.timestamp < until) revert Paused(until);
    }

    function _runItems(Batch calldata batch, bytes calldata items)
        private
        returns (uint256 failedBitmap)
    {
        uint256 stipend = batch.stipend;
        uint256 overhead = batch.overhead;
        unchecked {
            uint256 count = items.length / ITEM_SIZE;
            for (uint256 i = 0; i < count; ++i) {
                if (!_pay(items, i, stipend, overhead)) failedBitmap |= 1 << i;
            }
        }
        if (failedBitmap != 0) claims[batch.nonce] = _claimsHash(items, failedBitmap);
    }

    /// @inheritdoc IGateway
    function claim(uint64 nonce, uint256 open, uint256 index, bytes calldata items)
        external
        override
        lock
    {
        _requireNoPause();
        if (claims[nonce] != _claimsHash(items, open) || open >> index & 1 == 0) {
            revert BadClaim();
        }
        uint256 rest = open ^ 1 << index;
        claims[nonce] = rest == 0 ? bytes32(0) : _claimsHash(items, rest);
        // Whoever claims brings the gas: a call that needs more than a stipend gets it.
        if (!_pay(items, index, 0, 0)) revert NotPaid();
        emit Claimed(nonce, index, msg.sender);
    }

    /// @dev One word for all claims of a batch: the items as signed and which of them are open.
    function _claimsHash(bytes calldata items, uint256 open) private pure returns (bytes32) {
        return keccak256(abi.encode(open, items));
    }

    /// @dev Pays item `index`, which the callers know to lie in `items`; true if it was paid. A stipend of 0
    /// stands for all gas.
    function _pay(bytes calldata items, uint256 index, uint256 stipend, uint256 overhead)
        private
        returns (bool)
    {
        uint256 kind;
        address token;
        address to;
        uint256 amount;
        assembly ("memory-safe") {
            let place := add(items.offset, mul(index, ITEM_SIZE))
            let word := calldataload(place)
            kind := shr(248, word)
            token := shr(96, shl(8, word))
            to := shr(96, calldataload(add(place, 21)))
            amount := shr(128, calldataload(add(place, 41)))
        }
        TokenWord entry = tokens[token];
        uint256 used;
        unchecked {
            // Both are below 2^129.
            used = entry.usedAt(block.timestamp) + amount;
        }
        if (used > entry.capacity()) return false;
        bool isWrapped = entry.status() == WRAPPED;
        if (!Payout.run(kind, isWrapped, token, to, amount, stipend, overhead)) return false;
        tokens[token] = entry.withUsed(used, block.timestamp);
        return true;
    }

    // ------------------------------------------------------------------ the ring

    /// @inheritdoc IGateway
    function setKey(
        uint32 keyId,
        uint64 nonce,
        uint32 newKeyId,
        bytes32 newPx,
        Signature calldata signature
    ) external override lock {
        bytes memory message =
            abi.encode(block.chainid, address(this), keyId, nonce, newKeyId, newPx);
        _runMessage(SET_KEY, message, keyId, nonce, signature);
        _installKey(nonce, newKeyId, newPx);
    }

    /// @inheritdoc IGateway
    function heartbeat(uint32 keyId, uint64 nonce, Signature calldata signature)
        external
        override
        lock
    {
        bytes memory message = abi.encode(block.chainid, address(this), keyId, nonce);
        _runMessage(HEARTBEAT, message, keyId, nonce, signature);
    }

    /// @inheritdoc IGateway
    function setToken(
        uint32 keyId,
        uint64 nonce,
        TokenSetting calldata setting,
        Signature calldata signature
    ) external override lock {
        bytes memory message =
            abi.encode(block.chainid, address(this), keyId, nonce, setting);
        _runMessage(SET_TOKEN, message, keyId, nonce, signature);
        address token = setting.token;
        _checkSetting(token, setting.status);
        TokenWord entry = tokens[token];
        bool loosens = setting.capacity > entry.capacity()
            || (setting.status != entry.status() && setting.status != NONE);
        if (!loosens) return _installToken(token, setting.status, setting.capacity);
        uint256 dueAt = block.timestamp + NOTICE;
        announced[token] = Announced(setting.status, setting.capacity, uint40(dueAt));
        emit TokenAnnounced(token, setting.status, setting.capacity, dueAt);
    }

    /// @inheritdoc IGateway
    function applyToken(address token) external override lock {
        Announced memory next = announced[token];
        if (next.dueAt == 0) revert BadToken(token);
        if (block.timestamp < next.dueAt) revert TooEarly(next.dueAt);
        _installToken(token, next.status, next.capacity);
    }

    /// @inheritdoc IGateway
    function setPause(
        uint32 keyId,
        uint64 nonce,
        uint40 inUntil,
        uint40 outUntil,
        Signature calldata signature
    ) external override lock {
        bytes memory message =
            abi.encode(block.chainid, address(this), keyId, nonce, inUntil, outUntil);
        _runMessage(SET_PAUSE, message, keyId, nonce, signature);
        rare.inPausedUntil = inUntil;
        rare.inPauseFrom = 0;
        rare.outPauseFrom = 0;
        rare.outPausedUntil = outUntil;
        ring = ring.withPause(outUntil > block.timestamp);
        emit PauseSet(inUntil, outUntil);
    }

    /// @inheritdoc IGateway
    function moveMinter(
        uint32 keyId,
        uint64 nonce,
        address token,
        address newMinter,
        Signature calldata signature
    ) external override lock {
        bytes memory message =
            abi.encode(block.chainid, address(this), keyId, nonce, token, newMinter);
        _runMessage(MOVE_MINTER, message, keyId, nonce, signature);
        if (tokens[token].status() != WRAPPED) revert BadToken(token);
        IWrappedToken(token).announceMinter(newMinter);
    }

    function _runMessage(
        bytes32 tag,
        bytes memory message,
        uint32 keyId,
        uint64 nonce,
        Signature calldata signature
    ) private {
        _authorise(ring, nonce, _digest(tag, message), signature);
        emit Executed(nonce, keyId, 0, msg.sender);
    }

    /// @dev FMT-1: H(what, m) with the hash of the tag at hand.
    function _digest(bytes32 tag, bytes memory message) private view returns (bytes32) {
        return sha256(abi.encodePacked(tag, tag, networkId, message));
    }

    /// @dev Uses up the nonce, beats the heart, and reverts unless the present key signed the digest. The key id
    /// needs no comparison: it is in the digest, and the key signs for its own id only.
    function _authorise(
        RingWord current,
        uint64 nonce,
        bytes32 digest,
        Signature calldata signature
    ) private {
        if (!current.isKey(signature.px)) revert BadKey();
        if (!Bip340.verify(signature.px, digest, signature.rx, signature.ry, signature.s)) {
            revert BadSignature();
        }
        uint256 window = nonce / SPAN;
        uint256 bit = 1 << (nonce % SPAN);
        uint256 newest = current.window();
        if (nonce == 0) revert BadNonce(nonce);
        if (window == newest) {
            if (current.bitmap() & bit != 0) revert BadNonce(nonce);
            current = current.withBit(bit);
        } else if (window > newest) {
            if (window > WINDOW_MAX) revert BadNonce(nonce);
            windows[newest] = current.bitmap();
            current = current.withWindow(window, bit);
        } else {
            uint256 bitmap = windows[window];
            if (bitmap & bit != 0) revert BadNonce(nonce);
            windows[window] = bitmap | bit;
        }
        ring = current.signed(block.timestamp);
    }

    function _installKey(uint64 nonce, uint32 keyId, bytes32 keyX) private {
        if (keyId <= rare.keyId || !Bip340.isKey(keyX)) revert BadKey();
        rare.keyId = keyId;
        px = keyX;
        ring = ring.withKey(keyX);
        emit KeySet(nonce, keyId, keyX);
    }

    function _checkSetting(address token, uint8 status) private pure {
        if (status > WRAPPED || (token == address(0) && status == WRAPPED)) revert BadToken(token);
    }

    function _installToken(address token, uint8 status, uint104 capacity) private {
        // What drained so far drained at the old capacity.
        uint256 used = tokens[token].usedAt(block.timestamp);
        tokens[token] = tokenWord(status, capacity, used, block.timestamp);
        delete announced[token];
        emit TokenSet(token, status, capacity);
    }

    // ------------------------------------------------------------------ guardians

    /// @inheritdoc IGateway
    function pause(uint8 directions, Quorum calldata quorum) external override lock {
        if (directions == 0 || directions > 3) revert BadQuorum();
        _requireQuorum(keccak256(abi.encode(PAUSE_TYPE, directions, _nextNonce())), quorum);
        uint40 until = uint40(block.timestamp + PAUSE);
        uint40 again = uint40(block.timestamp + PAUSE_AGAIN);
        if (directions & DIRECTION_IN != 0) {
            if (block.timestamp < rare.inPauseFrom) revert TooEarly(rare.inPauseFrom);
            rare.inPauseFrom = again;
            if (until > rare.inPausedUntil) rare.inPausedUntil = until;
        }
        if (directions & DIRECTION_OUT != 0) {
            if (block.timestamp < rare.outPauseFrom) revert TooEarly(rare.outPauseFrom);
            rare.outPauseFrom = again;
            if (until > rare.outPausedUntil) rare.outPausedUntil = until;
            ring = ring.withPause(true);
        }
        emit PauseSet(rare.inPausedUntil, rare.outPausedUntil);
    }

    /// @inheritdoc IGateway
    function limit(address token, uint104 capacity, Quorum calldata quorum)
        external
        override
        lock
    {
        bytes32 structHash = keccak256(abi.encode(LIMIT_TYPE, token, capacity, _nextNonce()));
        _requireQuorum(structHash, quorum);
        TokenWord entry = tokens[token];
        if (capacity > entry.capacity()) revert BadToken(token);
        _installToken(token, entry.status(), capacity);
    }

    /// @inheritdoc IGateway
    function proposeRecovery(uint32 newKeyId, bytes32 newPx, Quorum calldata quorum)
        external
        override
        lock
    {
        bytes32 structHash = keccak256(abi.encode(RECOVER_TYPE, newKeyId, newPx, _nextNonce()));
        _requireQuorum(structHash, quorum);
        uint256 from = lastSignatureAt() + SILENCE;
        if (block.timestamp < from) revert TooEarly(from);
        if (newKeyId <= rare.keyId || !Bip340.isKey(newPx)) revert BadKey();
        recovery = Recovery(newKeyId, uint40(block.timestamp), newPx);
        emit RecoveryProposed(newKeyId, newPx, block.timestamp + OPEN);
    }

    /// @inheritdoc IGateway
    function recover() external override lock {
        Recovery memory next = recovery;
        // Any signature since the proposal has called it off, also one in the same block.
        if (next.proposedAt == 0 || lastSignatureAt() >= next.proposedAt) revert BadKey();
        uint256 dueAt = next.proposedAt + OPEN;
        if (block.timestamp < dueAt) revert TooEarly(dueAt);
        delete recovery;
        _installKey(0, next.keyId, next.px);
    }

    function _nextNonce() private returns (uint64) {
        return rare.guardianNonce++;
    }

    // ------------------------------------------------------------------ readers

    /// @inheritdoc IGateway
    function key() external view override returns (uint32, bytes32) {
        return (rare.keyId, px);
    }

    /// @inheritdoc IGateway
    function isUsed(uint64 nonce) external view override returns (bool) {
        uint256 window = nonce / SPAN;
        uint256 bitmap = window == ring.window() ? ring.bitmap() : windows[window];
        return bitmap >> (nonce % SPAN) & 1 == 1;
    }

    /// @inheritdoc IGateway
    function lastSignatureAt() public view override returns (uint256) {
        return ring.signedAt();
    }

    /// @inheritdoc IGateway
    function pausedUntil() external view override returns (uint40, uint40) {
        return (rare.inPausedUntil, rare.outPausedUntil);
    }

    /// @inheritdoc IGateway
    function guardianNonce() external view override returns (uint64) {
        return rare.guardianNonce;
    }

    /// @inheritdoc IGateway
    function tokenOf(address token) external view override returns (uint8, uint104, uint256) {
        TokenWord entry = tokens[token];
        uint256 used = entry.usedAt(block.timestamp);
        uint104 capacity = entry.capacity();
        return (entry.status(), capacity, used < capacity ? capacity - used : 0);
    }

    /// @inheritdoc IGateway
    function claimsOf(uint64 nonce) external view override returns (bytes32) {
        return claims[nonce];
    }

    function _salt() internal view override returns (bytes32) {
        return networkId;
    }
}
