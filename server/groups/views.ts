// Groups, their members and their channels as the API shows them.
import { documentNameOf } from '../../shared/channels.ts'
import { readPrivacy } from '../../shared/privacy.ts'
import type { ChannelRow } from '../../storage/channels.ts'
import type { DirectChannel } from '../../storage/direct.ts'
import type { GroupOfMember } from '../../storage/groups.ts'
import type { InviteWithGroup } from '../../storage/invites.ts'
import type { MemberRow } from '../../storage/members.ts'
import { shownCode } from './codes.ts'
import type { GroupDeps } from './standing.ts'

export const groupView = ({ sealing, now }: Pick<GroupDeps, 'sealing' | 'now'>, group: GroupOfMember) => {
  const accessCode = shownCode(sealing, group, now())
  return {
    id: group.id,
    name: group.name,
    description: group.description,
    avatar: group.avatar,
    timezone: group.timezone,
    checkInFrequency: group.check_in_frequency,
    role: group.role,
    accessCode,
    codeExpiresAt: accessCode === null ? null : group.code_expires_at,
    codeUsesLeft: accessCode === null ? null : group.code_uses_left,
    maxMembers: group.members_max,
    allowMemberInvite: group.allow_member_invite === 1,
    version: group.version,
    createdBy: group.created_by,
    createdAt: group.created_at,
    joinedAt: group.joined_at,
  }
}

/** Who keeps their profile to themselves is there under the user name alone. */
export const memberView = (member: MemberRow) => {
  const shows = readPrivacy(member.privacy).profile !== 'private'
  return {
    userId: member.user_id,
    username: member.username,
    name: shows ? member.name : member.username,
    avatar: shows ? member.avatar : null,
    role: member.role,
    canInvite: member.can_invite === 1,
    canKick: member.can_kick === 1,
    joinedAt: member.joined_at,
  }
}

export const banView = ({ user_id, username, joined_at }: MemberRow) => ({
  userId: user_id,
  username,
  bannedAt: joined_at,
})

/** What a channel is, wherever it is shown. */
export const channelFacts = (channel: ChannelRow) => ({
  id: channel.id,
  type: channel.type,
  name: channel.name,
  documentName: documentNameOf(channel),
  segments: channel.segments,
  version: channel.version,
  createdAt: channel.created_at,
})

/** A direct-message channel belongs to no group that one could look at. */
export const channelView = (channel: ChannelRow & { readonly kind?: string }) => ({
  ...channelFacts(channel),
  groupId: channel.kind === 'direct' ? null : channel.group_id,
})

/** Both people see who the other is; by more than the user name where that one's profile is open to them. */
export const directView = (channel: DirectChannel) => {
  const { username, name, avatar, privacy } = channel.other
  const { profile } = readPrivacy(privacy)
  const shows = profile === 'public' || (profile === 'friends' && channel.shares_group)
  return {
    ...channelView(channel),
    user: { id: channel.other_id, username, name: shows ? name : username, avatar: shows ? avatar : null },
  }
}

export const inviteView = (invite: InviteWithGroup) => ({
  id: invite.id,
  groupId: invite.group_id,
  groupName: invite.group_name,
  userId: invite.user_id,
  role: invite.role,
  invitedBy: invite.invited_by,
  createdAt: invite.created_at,
  expiresAt: invite.expires_at,
})
