# The story that quickstart tells when it is given no other. It is read like a play:
#
#   == HEADING      a new scene            NAME: ACTION   someone does something
#   > REMARK        an aside               NAME: TEXT     someone types into the conversation
#   # COMMENT       not printed            NAME: ^COMMAND someone types a command to usher
#   contact NUMBER to TEAM: TEXT           a contact writes to a team's number
#
# Actions begin with a small letter, what is typed does not. A mark at the end of a line, such as
# !ok or !denied, says how it must turn out. `go run ./examples/quickstart -h` lists all actions
# and marks. The story can be told again on the same database: everyone who was a guest leaves
# at the end, and the conversation that was handed on comes back.

== Alice opens the house
> One account, two teams. Each team has a number of its own, which its contacts write to.

alice: sign up as alice@acme.example                        !ok
alice: create account "Acme Staffing"                       !ok
alice: create team Hiring with number +15550200             !ok
alice: create team Sales with number +15550100              !ok

== The team grows, by e-mail and with an access level
> Only a manager invites to the team. A member is refused, and told what is missing.

alice: invite bob@acme.example as member                    !ok
bob: sign up as bob@acme.example                            !ok
bob: accept                                                 !ok
bob: check dashboard: read                                  !ok
bob: invite eve@rival.example as member                     !denied
alice: invite dana@acme.example as member                   !ok
dana: sign up as dana@acme.example                          !ok
dana: accept                                                !ok
dana: make bob manager                                      !denied
alice: leave                                                !conflict

== Two candidates write to Sales
> What begins with ^ is a command. It is never sent to the contact, also not when it is misspelt.

contact +15551230002 to Sales: Do you have anything for nights?
contact +15551230001 to Sales: Hi, is the job in the warehouse still open?
bob: read +15551230001                                      !ok
bob: Yes, it is. When could you start?                      !ok
bob: ^note Sounds keen. Carol from the warehouse should talk to them.   !ok
bob: ^invit carol@client.example                            !invalid
bob: ^invite carol@client.example                           !ok

== Carol is let into one conversation
> Until she accepts, the invitation is all that she sees.

carol: sign up as carol@client.example                      !ok
carol: read mail                                            !ok
carol: read +15551230001                                    !not-found
carol: Hello there!                                         !not-found
carol: check dashboard: read                                !not-found
carol: accept                                               !ok

> Now she reads the conversation, without the team's notes, answers, and corrects the contact.

carol: read +15551230001                                    !ok
carol: Carol here, from the warehouse. We begin at six, is that fine?   !ok
contact +15551230001: Six is fine. I am Maya, by the way.
carol: edit contact name "Maya Lopez"                       !ok

carol: edit contact notes "knows the shift plan"            !denied

> And nothing else: no other conversation, no command, no team.

carol: read +15551230002                                    !not-found
carol: ^close                                               !denied
carol: check dashboard: read                                !denied
carol: check member: list                                   !denied
carol: check blast: send                                    !denied
carol: check data: export                                   !denied
carol: invite mallory@client.example as restricted          !denied
carol: switch to Hiring                                     !not-found

== Whoever is free takes what has waited longest
> No two are given the same one. What somebody has claimed, nobody else answers.

contact +15551230003 to Sales: Do you pay weekly?
dana: take the next                                         !ok
bob: take the next                                          !ok
bob: Six it is, Maya.                                       !ok
bob: take the next                                          !ok
dana: ^release                                              !ok
dana: read +15551230003                                     !ok
dana: ^claim                                                !conflict
bob: We do, on Fridays.                                     !ok

> A contact can stop it at any time, and only they can lift that again.

contact +15551230003: Stop
bob: One more thing:                                        !opted-out
contact +15551230003: Start
bob: Welcome back.                                          !ok
bob: ^close                                                 !ok
bob: read +15551230001                                      !ok

== Bob hands over, to a colleague and to an e-mail address
> To a colleague it is done at once. To a stranger it waits until they accept, and comes to nothing if
> they decline.

bob: ^deliver dana@acme.example status:"Qualified" rating:4 summary:"ready to start"   !ok
bob: read +15551230002                                      !ok
bob: ^deliver gina@client.example status:"Interview Scheduled"   !ok
gina: sign up as gina@client.example                        !ok
gina: decline                                               !ok
bob: ^deliver frank@client.example status:"Interview Scheduled" rating:3 summary:"nights only"   !ok
frank: sign up as frank@client.example                      !ok
frank: read +15551230002                                    !not-found
frank: accept                                               !ok
frank: read +15551230002                                    !ok
frank: Frank here. Can you come by on Friday?               !ok

== Dana hands over to the other team
> The conversation moves there, with its guests. Sales keeps the card of the delivery.

dana: read +15551230001                                     !ok
dana: ^deliver Hiring status:"Delivered" rating:5 summary:"wants a contract"   !ok
dana: read +15551230001                                     !not-found
bob: switch to Hiring                                       !not-found
carol: switch to Hiring                                     !ok
carol: read +15551230001                                    !ok
alice: switch to Hiring                                     !ok
contact +15551230001: Whom do I send my papers to?
alice: read +15551230001                                    !ok
alice: To me, Maya.                                         !ok
alice: ^deliver Sales status:"Information Missing" summary:"papers first"   !ok

== Everyone goes home
> Guests can leave and be removed. The last manager of a team cannot leave it.

frank: leave                                                !ok
frank: read +15551230002                                    !not-found
alice: remove carol                                         !ok
alice: leave                                                !conflict
alice: switch to Sales                                      !ok
alice: remove carol                                         !ok
carol: read +15551230001                                    !not-found
bob: read +15551230002                                      !ok
bob: ^deliver dana@acme.example status:"Not Interested" summary:"found another job"   !ok
bob: Good luck!                                              !conflict
