"""The GraphQL that GitHub is asked, valid against its public schema and Enterprise Server's since 3.9."""

from __future__ import annotations

_PAGE = "pageInfo { hasNextPage endCursor }"


def repositories(labels: int) -> str:
    """Every repository of an account, with what tells whether there is news in it.

    Incidents are issues with one of as many `labels`, given as `$label0` and so on.
    """
    variables = "".join(f", $label{number}: String!" for number in range(labels))
    issues = "\n".join(
        f"""issues{number}: issues(
          first: 5, labels: [$label{number}], orderBy: {{field: UPDATED_AT, direction: DESC}}
        ) {{ totalCount nodes {{ number updatedAt }} }}"""
        for number in range(labels)
    )
    return f"""
query Repositories(
  $owner: String!, $first: Int!, $after: String,
  $pullRequests: Boolean!, $deployments: Boolean!, $releases: Boolean!{variables}
) {{
  repositoryOwner(login: $owner) {{
    __typename
    repositories(
      first: $first, after: $after, ownerAffiliations: [OWNER], orderBy: {{field: CREATED_AT, direction: ASC}}
    ) {{
      {_PAGE}
      nodes {{
        databaseId name nameWithOwner url isArchived isFork createdAt pushedAt
        defaultBranchRef {{ name target {{ oid }} }}
        pullRequests(first: 5, orderBy: {{field: UPDATED_AT, direction: DESC}}) @include(if: $pullRequests) {{
          nodes {{ number updatedAt }}
        }}
        deployments(first: 10, orderBy: {{field: CREATED_AT, direction: DESC}}) @include(if: $deployments) {{
          nodes {{ id databaseId updatedAt latestStatus {{ updatedAt }} }}
        }}
        releases(first: 10, orderBy: {{field: CREATED_AT, direction: DESC}}) @include(if: $releases) {{
          totalCount nodes {{ databaseId updatedAt }}
        }}
        {issues}
      }}
    }}
  }}
}}"""


_COMMITS = f"totalCount {_PAGE} nodes {{ commit {{ oid authoredDate author {{ email user {{ login }} }} }} }}"
_REVIEWS = f"{_PAGE} nodes {{ author {{ __typename login }} state submittedAt }}"

PULL_REQUESTS = f"""
query PullRequests($owner: String!, $name: String!, $first: Int!, $after: String) {{
  repository(owner: $owner, name: $name) {{
    databaseId
    items: pullRequests(first: $first, after: $after, orderBy: {{field: UPDATED_AT, direction: ASC}}) {{
      {_PAGE}
      edges {{
        cursor
        node {{
          number url title body isDraft createdAt updatedAt mergedAt closedAt
          additions deletions changedFiles baseRefName headRefName headRefOid
          author {{ __typename login }}
          mergeCommit {{ oid author {{ email user {{ login }} }} }}
          labels(first: 50) {{ nodes {{ name }} }}
          commits(first: 100) {{ {_COMMITS} }}
          reviews(first: 50) {{ {_REVIEWS} }}
          timelineItems(last: 1, itemTypes: [READY_FOR_REVIEW_EVENT]) {{
            nodes {{ ... on ReadyForReviewEvent {{ createdAt }} }}
          }}
        }}
      }}
    }}
  }}
}}"""

PULL_REQUEST_COMMITS = f"""
query PullRequestCommits($owner: String!, $name: String!, $number: Int!, $after: String) {{
  repository(owner: $owner, name: $name) {{
    databaseId
    pullRequest(number: $number) {{ commits(first: 100, after: $after) {{ {_COMMITS} }} }}
  }}
}}"""

PULL_REQUEST_REVIEWS = f"""
query PullRequestReviews($owner: String!, $name: String!, $number: Int!, $after: String) {{
  repository(owner: $owner, name: $name) {{
    databaseId
    pullRequest(number: $number) {{ reviews(first: 100, after: $after) {{ {_REVIEWS} }} }}
  }}
}}"""

PULL_REQUEST_TIMES = f"""
query PullRequestTimes($owner: String!, $name: String!, $first: Int!, $after: String) {{
  repository(owner: $owner, name: $name) {{
    databaseId
    items: pullRequests(first: $first, after: $after, orderBy: {{field: UPDATED_AT, direction: ASC}}) {{
      {_PAGE}
      edges {{ cursor node {{ number updatedAt }} }}
    }}
  }}
}}"""
"""To step over what is too old, or over one that GitHub cannot show."""

_DEPLOYMENT = f"""
id databaseId createdAt updatedAt environment commitOid ref {{ name prefix }}
statuses(first: 100) {{ {_PAGE} nodes {{ state createdAt updatedAt logUrl }} }}
"""

DEPLOYMENTS = f"""
query Deployments($owner: String!, $name: String!, $first: Int!, $after: String) {{
  repository(owner: $owner, name: $name) {{
    databaseId
    items: deployments(first: $first, after: $after, orderBy: {{field: CREATED_AT, direction: ASC}}) {{
      {_PAGE}
      edges {{ cursor node {{ {_DEPLOYMENT} }} }}
    }}
  }}
}}"""

DEPLOYMENT_TIMES = f"""
query DeploymentTimes($owner: String!, $name: String!, $first: Int!, $after: String) {{
  repository(owner: $owner, name: $name) {{
    databaseId
    items: deployments(first: $first, after: $after, orderBy: {{field: CREATED_AT, direction: ASC}}) {{
      {_PAGE}
      edges {{ cursor node {{ databaseId createdAt }} }}
    }}
  }}
}}"""

DEPLOYMENTS_AGAIN = f"""
query DeploymentsAgain($ids: [ID!]!) {{
  nodes(ids: $ids) {{ ... on Deployment {{ {_DEPLOYMENT} }} }}
}}"""

DEPLOYMENT_STATUSES = f"""
query DeploymentStatuses($id: ID!, $after: String) {{
  node(id: $id) {{
    ... on Deployment {{
      statuses(first: 100, after: $after) {{ {_PAGE} nodes {{ state createdAt updatedAt logUrl }} }}
    }}
  }}
}}"""

RELEASES = f"""
query Releases($owner: String!, $name: String!, $after: String) {{
  repository(owner: $owner, name: $name) {{
    databaseId
    releases(first: 100, after: $after, orderBy: {{field: CREATED_AT, direction: DESC}}) {{
      totalCount {_PAGE}
      nodes {{ databaseId tagName tagCommit {{ oid }} isDraft isPrerelease publishedAt updatedAt url }}
    }}
  }}
}}"""

INCIDENTS = f"""
query Incidents($owner: String!, $name: String!, $label: String!, $after: String) {{
  repository(owner: $owner, name: $name) {{
    databaseId
    issues(first: 100, after: $after, labels: [$label], orderBy: {{field: UPDATED_AT, direction: DESC}}) {{
      totalCount {_PAGE}
      nodes {{ number databaseId state createdAt closedAt updatedAt url }}
    }}
  }}
}}"""

FILES = """
query Files($owner: String!, $name: String!) {
  repository(owner: $owner, name: $name) {
    databaseId
    object(expression: "HEAD:.github/workflows") { ... on Tree { entries { name } } }
  }
}"""

TEAMS = f"""
query Teams($owner: String!, $first: Int!, $after: String) {{
  organization(login: $owner) {{
    teams(first: $first, after: $after, orderBy: {{field: NAME, direction: ASC}}) {{
      {_PAGE}
      nodes {{
        databaseId slug name parentTeam {{ databaseId }}
        members(first: 100, membership: IMMEDIATE) {{ {_PAGE} nodes {{ login }} }}
      }}
    }}
  }}
}}"""

MEMBERS = f"""
query Members($owner: String!, $after: String) {{
  organization(login: $owner) {{
    membersWithRole(first: 100, after: $after) {{
      {_PAGE} nodes {{ login name email organizationVerifiedDomainEmails(login: $owner) }}
    }}
  }}
}}"""

TEAM_MEMBERS = f"""
query TeamMembers($owner: String!, $slug: String!, $after: String) {{
  organization(login: $owner) {{
    team(slug: $slug) {{
      members(first: 100, after: $after, membership: IMMEDIATE) {{ {_PAGE} nodes {{ login }} }}
    }}
  }}
}}"""
