package chain

import (
	"time"

	"github.com/cometbft/cometbft/privval"
	cmttime "github.com/cometbft/cometbft/types/time"

	"lockstep/types"
)

// CreateAll makes the files of a new ledger with several validators of equal weight, one in each folder: keys of its own and the common
// genesis. The genesis time is now, since nodes that set it at their own first start would disagree. A ledger that starts much later begins
// with an outage of that length, which its clock counts as one clock cap.
func CreateAll(dirs []string, params types.Params, evidence time.Duration) error {
	if err := params.Check(); err != nil {
		return err
	}
	validators := make([]*privval.FilePV, len(dirs))
	for i, dir := range dirs {
		var err error
		if validators[i], err = createKeys(dir); err != nil {
			return err
		}
	}
	begin := cmttime.Canonical(time.Now())
	for _, dir := range dirs {
		if err := writeGenesis(filesOf(dir).Genesis, params, evidence, begin, validators...); err != nil {
			return err
		}
	}
	return nil
}

// Validators returns the number of validators in the genesis file of a folder.
func Validators(dir string) (int, error) {
	genesis, err := loadGenesis(filesOf(dir).Genesis)
	if err != nil {
		return 0, err
	}
	return len(genesis.Validators), nil
}
