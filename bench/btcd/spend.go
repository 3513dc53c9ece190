package main

import (
	"bytes"
	"crypto/sha256"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// coin is an unspent output.
type coin struct {
	outpoint wire.OutPoint
	output   *wire.TxOut
}

// input is a coin with its keys: a key alone, or a secret and a key for a coin under a contract.
type input struct {
	coin
	key      *btcec.PrivateKey
	contract []byte // nil: the coin is under the key alone
	secret   []byte
}

// toKey is an output under a key alone (P2WPKH).
func toKey(amount int64, key *btcec.PrivateKey) (*wire.TxOut, error) {
	hash := address.Hash160(key.PubKey().SerializeCompressed())
	script, err := txscript.NewScriptBuilder().AddOp(txscript.OP_0).AddData(hash).Script()
	return wire.NewTxOut(amount, script), err
}

// toContract is an output under a contract (P2WSH).
func toContract(amount int64, contract []byte) (*wire.TxOut, error) {
	hash := sha256.Sum256(contract)
	script, err := txscript.NewScriptBuilder().AddOp(txscript.OP_0).AddData(hash[:]).Script()
	return wire.NewTxOut(amount, script), err
}

// refundHeight is when an unredeemed contract could be taken back, far off.
const refundHeight = 400_000_000

// htlc is the usual hash time-locked contract (as in BIP 199): the redeemer opens it by the secret, the funder after a time.
func htlc(digest [32]byte, redeemer, funder *btcec.PrivateKey) ([]byte, error) {
	return txscript.NewScriptBuilder().
		AddOp(txscript.OP_IF).
		AddOp(txscript.OP_SHA256).AddData(digest[:]).AddOp(txscript.OP_EQUALVERIFY).
		AddData(redeemer.PubKey().SerializeCompressed()).
		AddOp(txscript.OP_ELSE).
		AddInt64(refundHeight).AddOp(txscript.OP_CHECKLOCKTIMEVERIFY).AddOp(txscript.OP_DROP).
		AddData(funder.PubKey().SerializeCompressed()).
		AddOp(txscript.OP_ENDIF).
		AddOp(txscript.OP_CHECKSIG).Script()
}

// spend makes a signed transaction without a fee, and the coins that it creates.
func spend(inputs []input, outputs ...*wire.TxOut) (*wire.MsgTx, []coin, error) {
	tx := wire.NewMsgTx(2)
	previous := txscript.NewMultiPrevOutFetcher(nil)
	for _, in := range inputs {
		tx.AddTxIn(wire.NewTxIn(&in.outpoint, nil, nil))
		previous.AddPrevOut(in.outpoint, in.output)
	}
	for _, output := range outputs {
		tx.AddTxOut(output)
	}
	hashes := txscript.NewTxSigHashes(tx, previous)
	for i, in := range inputs {
		witness, err := in.sign(tx, hashes, i)
		if err != nil {
			return nil, nil, err
		}
		tx.TxIn[i].Witness = witness
	}
	return tx, created(tx), nil
}

func (in input) sign(tx *wire.MsgTx, hashes *txscript.TxSigHashes, i int) (wire.TxWitness, error) {
	if in.contract == nil {
		return txscript.WitnessSignature(tx, hashes, i, in.output.Value, in.output.PkScript, txscript.SigHashAll, in.key, true)
	}
	signature, err := txscript.RawTxInWitnessSignature(tx, hashes, i, in.output.Value, in.contract, txscript.SigHashAll, in.key)
	return wire.TxWitness{signature, in.secret, {1}, in.contract}, err
}

func created(tx *wire.MsgTx) []coin {
	id := tx.TxHash()
	coins := make([]coin, len(tx.TxOut))
	for i, output := range tx.TxOut {
		coins[i] = coin{*wire.NewOutPoint(&id, uint32(i)), output}
	}
	return coins
}

func encode(block *wire.MsgBlock) ([]byte, error) {
	var b bytes.Buffer
	err := block.Serialize(&b)
	return b.Bytes(), err
}
