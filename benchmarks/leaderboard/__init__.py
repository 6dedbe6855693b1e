"""The leaderboard: runs of several folders of results checked in exact arithmetic, held against each other, ranked."""
