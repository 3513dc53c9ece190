package runner

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"lockstep/internal/agent"
	"lockstep/internal/agent/plan"
	"lockstep/internal/atomicfile"
	"lockstep/types"
)

// saved is the content of an agent's file. All of it can be lost: it spares the agent some learning after a restart.
type saved struct {
	Version int             `json:"version"`
	ChainID string          `json:"chain_id"`
	Key     types.PublicKey `json:"key"`
	Use     plan.History    `json:"use"`
	Make    plan.History    `json:"make"`
	Records []agent.Record  `json:"records"`
	Made    []types.TxID    `json:"made"`
	Round   types.Time      `json:"round"`
	Known   []agent.Known   `json:"known"`
	Failed  []agent.Failure `json:"failed,omitempty"`
	Paused  bool            `json:"paused,omitempty"`
}

const (
	fileVersion = 1
	maxFile     = 16 << 20
)

func (s *saved) state(setup *agent.Setup) agent.State {
	return agent.State{
		Setup: setup, Use: s.Use, Make: s.Make, Records: s.Records, Made: s.Made, Round: s.Round, Known: s.Known, Failed: s.Failed, Paused: s.Paused,
	}
}

// load reads the file; nil if there is none.
func (r *Runner) load() (*saved, error) {
	if r.File == "" {
		return nil, nil
	}
	content, err := readAtMost(r.File, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	s := new(saved)
	if err := json.Unmarshal(content, s); err != nil {
		return nil, err
	}
	if s.Version != fileVersion || s.ChainID != r.Setup.Params.ChainID || s.Key != r.Setup.Key {
		return nil, fmt.Errorf("it is of another agent or of another version")
	}
	return s, nil
}

// readAtMost reads a regular file: others may put a pipe or a device into a folder, whose reading would not end.
func readAtMost(path string, most int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(content)) > most {
		err = fmt.Errorf("%s has more than %d bytes, which is more than an agent writes", path, most)
	}
	return content, err
}

// save writes the file.
func (r *Runner) save() {
	if r.File == "" || r.DryRun {
		return
	}
	s := &r.state
	content, err := json.Marshal(saved{
		fileVersion, r.Setup.Params.ChainID, r.Setup.Key, s.Use, s.Make, s.Records, s.Made, s.Round, s.Known, s.Failed, s.Paused,
	})
	if err == nil {
		err = atomicfile.Replace(r.File, content)
	}
	if err != nil {
		r.Log.Warn("the agent's file can't be written: a restart would learn again", "file", r.File, "error", err)
	}
}

func (r *Runner) readingsFile() string { return r.File + ".readings" }

// loadReadings reads the readings that were kept. A line that was cut off by a crash is left out.
func (r *Runner) loadReadings() (all []kept) {
	if r.File == "" {
		return nil
	}
	file, err := os.Open(r.readingsFile())
	if err != nil {
		return nil
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var k kept
		if json.Unmarshal(lines.Bytes(), &k) == nil {
			all = append(all, k)
		}
	}
	return all
}

// keepReading appends the newest reading to the file. Now and then the file is written anew without old readings.
func (r *Runner) keepReading(all *[]kept, span types.Duration) {
	newest := (*all)[len(*all)-1]
	if r.File == "" || r.DryRun {
		*all = nil
		return
	}
	if first := (*all)[0]; newest.At-first.At > 2*int64(span) {
		young := (*all)[:0]
		for _, k := range *all {
			if newest.At-k.At <= int64(span) {
				young = append(young, k)
			}
		}
		*all = young
		var content []byte
		for _, k := range young {
			line, err := json.Marshal(k)
			if err != nil {
				continue
			}
			content = append(append(content, line...), '\n')
		}
		if err := atomicfile.Replace(r.readingsFile(), content); err != nil {
			r.Log.Warn("the readings can't be kept", "error", err)
		}
		return
	}
	file, err := os.OpenFile(r.readingsFile(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		r.Log.Warn("the readings can't be kept", "error", err)
		return
	}
	line, err := json.Marshal(newest)
	if err == nil {
		_, err = file.Write(append(line, '\n'))
	}
	if err = errors.Join(err, file.Close()); err != nil {
		r.Log.Warn("the readings can't be kept", "error", err)
	}
}
