package bench

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"time"
)

// percentile is the nearest-rank percentile of sorted durations, zero of none.
func percentile(sorted []time.Duration, p float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(p / 100 * float64(len(sorted)))
	return sorted[min(rank, len(sorted)-1)]
}

// Times are percentiles in milliseconds.
type Times struct {
	P50 float64 `json:"p50_ms"`
	P95 float64 `json:"p95_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
}

func timesOf(durations []time.Duration) Times {
	sorted := slices.Sorted(slices.Values(durations))
	at := func(p float64) float64 { return milliseconds(percentile(sorted, p)) }
	return Times{at(50), at(95), at(99), at(100)}
}

// milliseconds has three decimals: more would be noise.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// folderBytes is how much a folder holds. Files may come and go meanwhile.
func folderBytes(dir string) (total int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			var info fs.FileInfo
			if info, err = entry.Info(); err == nil {
				total += info.Size()
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	return total, err
}
