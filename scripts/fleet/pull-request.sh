#!/usr/bin/env bash
# Maintains one pull request with the counterexamples that the main branch lacks. Needs git, and gh with GH_TOKEN.
#
#   pull-request.sh adopt CORPUS          before a merge: adds the counterexamples of the open pull request to the corpus, so that they do not count as new
#   pull-request.sh propose CORPUS BODY   after a merge: opens the pull request or adds to it, if there is anything new
#
# BODY is a Markdown file. Exit codes: 0, or that of the command that failed.
set -euo pipefail

BRANCH=nightly-counterexamples
# GitHub's own bot, so that its commits carry that name and avatar.
AUTHOR='github-actions[bot]'
EMAIL='41898282+github-actions[bot]@users.noreply.github.com'

# Only a pull request from this repository's own branch. `gh pr list --head` would also find one from a fork's branch of that name.
open_request() {
  gh api "repos/{owner}/{repo}/pulls?state=open&head={owner}:$BRANCH" \
    --jq 'map(select(.head.repo.full_name == .base.repo.full_name)) | .[0].number // empty'
}

# git with the token of gh, because the checkout keeps no credentials.
git_with_token() { git -c credential.helper='!gh auth git-credential' "$@"; }

adopt() {
  local corpus=$1 request
  # Assigned first: inside [[ ]] a failing gh would count as no pull request.
  request=$(open_request)
  [[ -n $request ]] || return 0
  git_with_token fetch --quiet origin "$BRANCH"
  git diff --name-only --diff-filter=A -z HEAD...FETCH_HEAD -- "$corpus" | xargs -0 -r git checkout --quiet FETCH_HEAD --
}

propose() {
  local corpus=$1 body=$2 request parent=HEAD force=(--force) tree
  request=$(open_request)
  if [[ -n $request ]]; then
    # On top of the branch, because reviewers may have added commits.
    git_with_token fetch --quiet origin "$BRANCH"
    parent=FETCH_HEAD force=()
  fi
  tree=$(mktemp -d)
  # shellcheck disable=SC2064
  trap "git worktree remove --force '$tree'" EXIT
  git worktree add --quiet --detach "$tree" "$parent"
  git ls-files --others --modified -z -- "$corpus" | xargs -0 -r cp --parents --target-directory="$tree"
  git -C "$tree" add --all -- "$corpus"
  if git -C "$tree" diff --cached --quiet; then
    echo 'nothing new to propose'
    return
  fi
  git -C "$tree" -c "user.name=$AUTHOR" -c "user.email=$EMAIL" commit --quiet --message "Counterexamples of ${CAMPAIGN:-a campaign}"
  git_with_token -C "$tree" push --quiet "${force[@]}" origin "HEAD:refs/heads/$BRANCH"
  if [[ -n $request ]]; then
    gh pr edit "$request" --body-file "$body"
  else
    gh pr create --head "$BRANCH" --base "$(git branch --show-current)" --title 'Counterexamples found at night' --body-file "$body"
  fi
}

case ${1-} in
  adopt) adopt "${2:?name the corpus}" ;;
  propose) propose "${2:?name the corpus}" "${3:?name a Markdown file}" ;;
  *)
    echo 'usage: pull-request.sh adopt CORPUS, or pull-request.sh propose CORPUS BODY' >&2
    exit 2
    ;;
esac
