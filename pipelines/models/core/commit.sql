/*
description: Commits of the repositories in the workspace.
grain: one row per repository and commit
key: [commit_key]
by: [commit_key]
each: raw.commit
touched:
  raw.commit: select commit_key(source, repository, sha) from changed
  core.repository: >-
    select commit_key(c.source, c.repository, c.sha)
    from raw.commit as c
    inner join changed as r on r.source = c.source and r.repository_id = c.repository
columns:
  source: {type: varchar, description: "Configured name of the source"}
  repository_id: {type: varchar, description: "Id within the source"}
  sha: {type: varchar, description: "Commit id"}
  commit_key: {type: ubigint, description: "All of these as a number: `commit_key(source, repository_id, sha)`"}
  parent_keys: {type: 'ubigint[]', description: "Those of the parents in order"}
  is_merge: {type: boolean, description: "Has more than one parent"}
  author: {type: varchar, description: "Keyed hash of the author's address"}
  is_bot: {type: boolean, description: "The author's name ends in [bot]"}
  kind: {type: varchar, description: "What the subject says", accepted: [merge, revert, fix, change]}
  change_number: {type: bigint, description: "Pull request the subject names", nullable: true}
  reverts: {type: varchar, description: "Commit that the message says it reverts", nullable: true}
  folders: {type: 'varchar[]', description: "Folders it touches; null where they are not known", nullable: true}
  authored_at: {type: timestamp with time zone, description: "Author's date (UTC); null where no calendar holds it", nullable: true}
  committed_at: {type: timestamp with time zone, description: "Committer's date (UTC); null where no calendar holds it", nullable: true}
*/
select
    c.source,
    c.repository as repository_id,
    c.sha,
    commit_key(c.source, c.repository, c.sha) as commit_key,
    list_transform(c.parents, lambda parent: commit_key(c.source, c.repository, parent)) as parent_keys,
    len(c.parents) > 1 as is_merge,
    c.author,
    c.is_bot,
    c.kind,
    c.change_number,
    lower(c.reverts) as reverts,
    c.folders,
    c.authored_at,
    c.committed_at
from raw.commit as c
-- refresh: semi join (
-- refresh:     select w.rowid as place
-- refresh:     from raw.commit as w
-- refresh:     semi join touched as t on t.commit_key = commit_key(w.source, w.repository, w.sha)
-- refresh: ) as w on w.place = c.rowid
inner join core.repository as r on r.source = c.source and r.repository_id = c.repository
