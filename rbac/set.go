package rbac

import "iter"

// set is a set of permissions, a bit for each number.
type set []uint64

func (s set) has(perm Permission) bool {
	return int(perm>>6) < len(s) && s[perm>>6]&(1<<(perm&63)) != 0
}

func (s *set) add(perm Permission) {
	if more := int(perm>>6) + 1 - len(*s); more > 0 {
		*s = append(*s, make(set, more)...)
	}
	(*s)[perm>>6] |= 1 << (perm & 63)
}

func (s set) all() iter.Seq[Permission] {
	return func(yield func(Permission) bool) {
		for perm := range len(s) << 6 { // an int: the last set has no room for its own length
			if perm := Permission(perm); s.has(perm) && !yield(perm) {
				return
			}
		}
	}
}
