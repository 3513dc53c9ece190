// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// What people use on Ethereum instead of Lockstep. Both contracts keep as little as can be: one storage word a trade, under
// the hash of all its terms, which the callers bring along. The digest should be fresh for each trade.

// Htlc is the plain hash time-locked contract: lock, and redeem or refund.
contract Htlc {
    mapping(bytes32 => uint256) private locked; // by terms: 1 while locked

    function terms(address consumer, address producer, bytes32 digest, uint256 deadline, uint256 amount) private pure returns (bytes32) {
        return keccak256(abi.encode(consumer, producer, digest, deadline, amount));
    }

    function lock(address producer, bytes32 digest, uint256 deadline) external payable {
        bytes32 id = terms(msg.sender, producer, digest, deadline, msg.value);
        require(locked[id] == 0 && msg.value > 0);
        locked[id] = 1;
    }

    function redeem(address consumer, bytes32 secret, uint256 deadline, uint256 amount) external {
        bytes32 id = terms(consumer, msg.sender, sha256(abi.encode(secret)), deadline, amount);
        require(locked[id] == 1 && block.timestamp <= deadline);
        locked[id] = 0;
        payable(msg.sender).transfer(amount);
    }

    function refund(address producer, bytes32 digest, uint256 deadline, uint256 amount) external {
        bytes32 id = terms(msg.sender, producer, digest, deadline, amount);
        require(locked[id] == 1 && block.timestamp > deadline);
        locked[id] = 0;
        payable(msg.sender).transfer(amount);
    }
}

// Trade is Lockstep's trade: pay, deliver, release. The release pays both parties, so that nobody has to collect.
contract Trade {
    mapping(bytes32 => uint256) private phase; // by terms: 1 paid, 2 delivered

    function terms(address consumer, address producer, bytes32 digest, uint256 deliverBy, uint256 price, uint256 deposit)
        private pure returns (bytes32)
    {
        return keccak256(abi.encode(consumer, producer, digest, deliverBy, price, deposit));
    }

    function pay(address producer, bytes32 digest, uint256 deliverBy, uint256 deposit) external payable {
        require(deposit > 0 && msg.value > deposit);
        bytes32 id = terms(msg.sender, producer, digest, deliverBy, msg.value - deposit, deposit);
        require(phase[id] == 0);
        phase[id] = 1;
    }

    function deliver(address consumer, bytes32 digest, uint256 deliverBy, uint256 price, uint256 deposit) external {
        bytes32 id = terms(consumer, msg.sender, digest, deliverBy, price, deposit);
        require(phase[id] == 1 && block.timestamp <= deliverBy);
        phase[id] = 2;
    }

    function release(address consumer, address producer, bytes32 secret, uint256 deliverBy, uint256 price, uint256 deposit) external {
        bytes32 id = terms(consumer, producer, sha256(abi.encode(secret)), deliverBy, price, deposit);
        require(phase[id] == 2);
        phase[id] = 0;
        payable(consumer).transfer(deposit);
        payable(producer).transfer(price);
    }

    function refund(address producer, bytes32 digest, uint256 deliverBy, uint256 price, uint256 deposit) external {
        bytes32 id = terms(msg.sender, producer, digest, deliverBy, price, deposit);
        require(phase[id] == 1 && block.timestamp > deliverBy);
        phase[id] = 0;
        payable(msg.sender).transfer(price + deposit);
    }
}
