.PHONY: test lint generate ci cluster-test full-test
test:     ; go test -race -shuffle=on ./...
lint:     ; bash .ci/run format vet lint
generate: ; go generate ./...
ci:       ; bash .ci/run
cluster-test: ; go test -race -tags cluster -count=1 -timeout 30m -v -run '^TestCluster$$' ./storage/mysql

# The full run of what the gate does in part: every race 1,000 times, 500 processes killed on each
# engine, and every call of a driver failed in every way. It takes hours. The flags are known only
# to the packages named here, so they are given to no others. It is without the race detector: that
# is the gate's part, and would make it days.
races = ./storage/memory ./storage/sqlite ./storage/postgres ./storage/mysql ./tenancy ./invite ./conversation
full-test:
	go test -count=1 -timeout=24h $(races) -run '^TestConformance$$|AtOnce|A6|C8|C9|Concurrent' -usher.rounds=1000
	go test -count=1 -timeout=24h ./storage/sqlstore -run '^TestKilledProcess$$' -usher.kills=500
	go test -count=1 -timeout=24h ./storage/sqlstore -run '^TestFaultAtEveryCall$$' -usher.faults=all
