package memory

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// The list against a plain sorted slice, in the patterns that rows move in.
func TestListIsASortedSlice(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for name, next := range map[string]func(step int) int64{
		"growing at the end":   func(step int) int64 { return int64(step) },
		"growing at the front": func(step int) int64 { return -int64(step) },
		"anywhere":             func(int) int64 { return random.Int64N(1 << 40) },
	} {
		t.Run(name, func(t *testing.T) {
			var l list[int64]
			var model []int64
			for step := range 6_000 {
				// A third of the steps take one out, as an update that moves a row does.
				if step%3 == 2 {
					i := random.IntN(len(model))
					l.remove(placeOf(model[i]))
					model = slices.Delete(model, i, i+1)
					continue
				}
				at := next(step)
				i, found := slices.BinarySearch(model, at)
				if found {
					continue
				}
				l.insert(placeOf(at), &at)
				model = slices.Insert(model, i, at)
			}
			agree(t, &l, model)
			for len(model) > 0 { // from one end to the other: no chunk may stay behind half empty
				n := min(len(model), 500)
				for _, at := range model[:n] {
					l.remove(placeOf(at))
				}
				model = model[n:]
				agree(t, &l, model)
			}
			require.Empty(t, l.chunks)
		})
	}
}

// A full chunk is split at each place where a row can come in.
func TestListSplits(t *testing.T) {
	const half = chunkSize / 2
	for _, in := range []int64{0, 1, half - 1, half, half + 1, chunkSize - 1, chunkSize} {
		var l list[int64]
		var model []int64
		for n := range int64(chunkSize) {
			at := 2 * n
			l.insert(placeOf(at), &at)
			model = append(model, at)
		}
		at := 2*in - 1
		l.insert(placeOf(at), &at)
		agree(t, &l, slices.Insert(model, int(in), at))
	}
}

// A list whose rows keep moving to its end must not keep a chunk for each that stays behind.
func TestListStaysFull(t *testing.T) {
	var l list[int64]
	const rows = 40 * chunkSize
	for at := range int64(rows) {
		l.insert(placeOf(at), &at)
	}
	for at := range int64(rows) {
		if at%100 != 0 {
			l.remove(placeOf(at))
			at += rows
			l.insert(placeOf(at), &at)
		}
	}
	require.Less(t, len(l.chunks), 46)
}

func agree(t *testing.T, l *list[int64], model []int64) {
	t.Helper()
	read := func(way direction, from place, limit int) []int64 {
		return paged(merged(way, from, l, nil, &list[int64]{}), limit, func(at *int64) (int64, bool) { return *at, true })
	}
	all := read(ascending, ascending.beginning(), len(model)+1)
	require.Len(t, all, len(model))
	require.True(t, slices.Equal(model, all))
	back := read(descending, descending.beginning(), len(model)+1)
	slices.Reverse(back)
	require.True(t, slices.Equal(model, back))
	for i := 0; i < len(model); i += 97 {
		require.Equal(t, model[i], *l.get(placeOf(model[i])))
		require.True(t, slices.Equal(model[i+1:min(i+4, len(model))], read(ascending, placeOf(model[i]), 3)))
		want := slices.Clone(model[max(i-3, 0):i])
		slices.Reverse(want)
		require.True(t, slices.Equal(want, read(descending, placeOf(model[i]), 3)))
		// Between two rows.
		if i+1 < len(model) && model[i]+1 < model[i+1] {
			require.Nil(t, l.get(placeOf(model[i]+1)))
			require.Equal(t, model[i+1:i+2], read(ascending, placeOf(model[i]+1), 1))
			require.Equal(t, model[i:i+1], read(descending, placeOf(model[i]+1), 1))
		}
	}
}
