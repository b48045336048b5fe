package tenancy

import (
	"context"
	"errors"
	"slices"
)

// sweeping is how many rows a step of a sweep looks for.
const sweeping = 100

// Sweep ends what the clock has ended; the sweeps of all rooms are made of it. It finds what is due,
// step by step until there is nothing else, and calls end for each, which must be a transaction of its
// own. End looks again and answers false for what is not due any more: another instance was faster, or
// somebody has touched it.
//
// One that cannot be ended holds up no other. It stays due and is found again, so each step asks for as
// many more as were left by those before it, and passes them over. That was preferred to a cursor,
// which each of the finding methods would need in an order of its own: what is left is seldom more than
// a few. The answer is how many were ended, also next to the errors of those that were not.
func Sweep[D comparable](ctx context.Context, find func(ctx context.Context, limit int) ([]D, error),
	end func(ctx context.Context, due D) (done bool, err error),
) (ended int, err error) {
	left := map[D]bool{}
	var failed []error
	for {
		limit := sweeping + len(left)
		due, err := find(ctx, limit)
		if err != nil {
			return ended, errors.Join(append(failed, err)...)
		}
		fresh := slices.DeleteFunc(slices.Clone(due), func(d D) bool { return left[d] })
		for _, d := range fresh {
			done, err := end(ctx, d)
			if done && err == nil {
				ended++
				continue
			}
			left[d] = true
			if err != nil {
				failed = append(failed, err)
			}
			if ctx.Err() != nil {
				return ended, errors.Join(failed...)
			}
		}
		if len(fresh) == 0 || len(due) < limit {
			return ended, errors.Join(failed...)
		}
	}
}
